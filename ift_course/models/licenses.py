"""The license of a model: read from its card, and carried over to what is made of the model."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

# Files that a license asks to be passed on, by the names under which repositories keep them.
LICENSE_FILES = ("LICENSE*", "NOTICE*", "USE_POLICY*", "GEMMA_TERMS*")


@dataclass(frozen=True)
class Terms:
    """A license that binds whoever uses the weights, and whoever gets a model made of them.

    Attributes:
        name: What it is called.
        link: Where it can be read.
        notice: The sentence that has to accompany every copy.
        summary: What it means, in one paragraph, for people who have not read it yet.
    """

    name: str
    link: str
    notice: str
    summary: str

    @property
    def text(self) -> str:
        """Notice and summary."""
        return f"{self.notice}.\n{self.summary}"


# By the identifier on a model card.
TERMS = {
    "gemma": Terms(
        name="Gemma Terms of Use",
        link="https://ai.google.dev/gemma/terms",
        # Section 3.1 of the terms prescribes this sentence.
        notice="Gemma is provided under and subject to the Gemma Terms of Use found at "
        "ai.google.dev/gemma/terms",
        summary="Gemma is not open source: whoever uses it agrees to Google's Gemma Terms of Use "
        "(https://ai.google.dev/gemma/terms) and to its Prohibited Use Policy "
        "(https://ai.google.dev/gemma/prohibited_use_policy). A model that you tune from it is "
        "bound by them, too: if you pass it on, say that you changed it, and pass on the terms "
        "and the notice that `ift sft`, `ift merge` and `ift export` put into its folder.",
    )
}
CARD = """\
---
license: {license}
base_model: {base}
library_name: {library}
---
# {name}

{what}

{notice}.
"""


def license_of(folder: str | Path) -> str | None:
    """Return the identifier of the license on the card in a folder, if there is one."""
    return _card_field(folder, "license")


def base_of(folder: str | Path) -> str | None:
    """Return the model on the Hub from which the card in a folder says it was made, if any."""
    return _card_field(folder, "base_model")


def terms_of(folder: str | Path) -> Terms | None:
    """Return the terms that bind the users of the model in a folder, if there are any."""
    return TERMS.get(license_of(folder) or "")


def carry_license(source: str | Path, folder: str | Path) -> None:
    """Put the license of a model into the folder of a model that was made of it.

    Its license files are copied. A model under terms that bind its users gets their notice, and a
    card that names them, unless it has a card already. For any other license nothing happens.

    Args:
        source: The folder of the model that was changed.
        folder: The finished folder of the result.
    """
    source, folder = Path(source), Path(folder)
    if not source.is_dir() or source.resolve() == folder.resolve():
        return
    for pattern in LICENSE_FILES:
        for path in source.glob(pattern):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
    if not (terms := terms_of(source)):
        return
    write_notice(folder, terms)
    if not (folder / "README.md").exists():
        write_card(
            folder,
            license_=str(license_of(source)),
            base=base_of(source) or source.name,
            what="The weights in this folder were changed: they were tuned, merged or converted "
            "by ift-course. What was done to them is recorded in training.json, if it is here.",
        )


def write_notice(folder: Path, terms: Terms) -> None:
    """Write the sentence that has to accompany the weights into a file NOTICE."""
    (folder / "NOTICE").write_text(f"{terms.notice}\n", encoding="utf-8")


def write_card(folder: Path, *, license_: str, base: str, what: str) -> None:
    """Write a short README.md that says what the weights were made of, and under which terms.

    Args:
        folder: The folder of the model, or of an adapter.
        license_: A key of `TERMS`.
        base: The name on the Hub of the model they were made of.
        what: What happened to the weights.
    """
    is_adapter = (folder / "adapter_config.json").exists()
    text = CARD.format(
        license=license_,
        base=base,
        library="peft" if is_adapter else "transformers",
        name=folder.name,
        what=what,
        notice=TERMS[license_].notice,
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def _card_field(folder: str | Path, name: str) -> str | None:
    from huggingface_hub import ModelCard

    try:
        value = getattr(ModelCard.load(Path(folder) / "README.md").data, name, None)
    except (OSError, ValueError):
        return None
    return value if isinstance(value, str) else None  # some cards have a list
