"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Rejects = Annotated[
    Path | None,
    typer.Option(help="Set what cannot be used aside in this file, with the reason, and go on."),
]
FoldSystem = Annotated[
    bool,
    typer.Option(
        "--fold-system",
        help="Put a system turn before the first question, for templates that refuse one.",
    ),
]
EscapeSpecial = Annotated[
    bool, typer.Option("--escape-special", help="Make words of special tokens in texts.")
]
Targets = Annotated[
    str | None,
    typer.Option(
        help="Which layers get adapters: names with commas between, such as q_proj,v_proj; all "
        "linear layers without it."
    ),
]
