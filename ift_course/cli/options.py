"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

# The names in `ift_course.profile.PROFILES`, whose import would slow down `ift --help`.
ProfileName = Literal["tiny", "smollm2", "gemma", "t4", "gpu24"]
ProfileOption = Annotated[
    ProfileName | None,
    typer.Option(help="Which base model, data and sizes are meant; else $IFT_PROFILE, else tiny."),
]
Rejects = Annotated[
    Path | None,
    typer.Option(help="Write rejected rows to this file, with the reason, and continue."),
]
FoldSystem = Annotated[
    bool,
    typer.Option(
        "--fold-system",
        help="Put a system turn before the first question, for templates that refuse one.",
    ),
]
EscapeSpecial = Annotated[
    bool,
    typer.Option("--escape-special", help="Turn special tokens in texts into ordinary words."),
]
Out = Annotated[Path, typer.Option(help="The folder for the tuned model.")]
Targets = Annotated[
    str | None,
    typer.Option(
        help="Which layers get adapters: names with commas between, such as q_proj,v_proj; all "
        "linear layers without it."
    ),
]
MaxSteps = Annotated[int, typer.Option(help="Stop after so many steps; -1 leaves it to --epochs.")]
LearningRate = Annotated[
    float | None, typer.Option(help="Peak learning rate; chosen by model size without it.")
]
JsonOutput = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
