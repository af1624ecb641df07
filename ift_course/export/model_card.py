"""The card of an exported model: what is known about it, and plainly what is not."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.models import provenance
from ift_course.models.licenses import TERMS, base_of, license_of
from ift_course.paths import assets_dir

if TYPE_CHECKING:
    from transformers import PreTrainedModel

TEMPLATE = Path(__file__).with_name("model_card.md.j2")
TRAINABLE = {
    "full": "every weight",
    "lora": "low-rank adapters (LoRA), merged into the weights",
    "qlora": "low-rank adapters on 4-bit weights (QLoRA), merged into the full-precision weights",
}
UNKNOWN_LICENSE = (
    "not known. The license of the model it was tuned from applies, and that of the data may apply "
    "too."
)


@dataclass(frozen=True)
class CardFacts:
    """What a card says about a model and the folder it was read from.

    Attributes:
        name: The name of the exported model.
        tunings: The tunings, oldest first.
        scores: The entries of scores.json.
        license: The license, or None if it is not known.
        base: The model on the Hub that the source's card names as its base, if it names one.
        small_world: Whether the model descends from the shipped base.
        untuned: Whether it is the shipped base.
    """

    name: str
    tunings: list[provenance.Tuning]
    scores: list[dict[str, Any]]
    license: str | None
    base: str | None
    small_world: bool
    untuned: bool


def read_facts(folder: str | Path, name: str) -> CardFacts:
    """Read what a model folder says about its model.

    Args:
        folder: The model folder.
        name: The name of the exported model.

    Raises:
        CourseError: The record of its tunings is damaged.
    """
    folder = Path(folder)
    tunings = provenance.read(folder)
    parent = tunings[0].parent if tunings else str(folder)
    ancestor = Path(parent) if parent != provenance.COURSE_BASE else _shipped_base()
    return CardFacts(
        name=name,
        tunings=tunings,
        scores=_scores(folder / "scores.json"),
        license=license_of(folder) or license_of(ancestor),
        base=base_of(folder),
        small_world=ancestor == _shipped_base(),
        untuned=folder == _shipped_base(),
    )


def write_card(facts: CardFacts, model: PreTrainedModel, has_template: bool, folder: Path) -> None:
    """Write README.md into an exported folder, with the metadata that the Hub reads.

    Args:
        facts: What is known.
        model: The exported model.
        has_template: Whether its tokenizer has a chat template.
        folder: The exported folder.
    """
    from huggingface_hub import ModelCardData
    from jinja2 import Environment

    template = Environment(keep_trailing_newline=True).from_string(
        TEMPLATE.read_text(encoding="utf-8")
    )
    text = template.render(
        name=facts.name,
        tunings=facts.tunings,
        scores=facts.scores,
        small_world=facts.small_world,
        untuned=facts.untuned,
        parent_of=_parent,
        trainable=TRAINABLE,
        record=provenance.FILE,
        parameters=model.num_parameters(),
        family=model.config.model_type,
        dtype=str(model.dtype).removeprefix("torch."),
        has_template=has_template,
        license_says=_license_sentence(facts.license),
    )
    data = ModelCardData(
        license=facts.license,
        base_model=_hub_base(facts.tunings) or facts.base,
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=[tuning.method for tuning in facts.tunings] or None,
    )
    (folder / "README.md").write_text(f"---\n{data.to_yaml()}\n---\n{text}", encoding="utf-8")


def _license_sentence(license_: str | None) -> str:
    if license_ is None:
        return UNKNOWN_LICENSE
    terms = TERMS.get(license_)
    return f"{terms.name}. {terms.notice}. {terms.summary}" if terms else f"{license_}."


def _parent(tuning: provenance.Tuning) -> str:
    """Return a hub id as it is, and only the last name of a folder, whose path is private."""
    if tuning.parent == provenance.COURSE_BASE:
        return provenance.COURSE_BASE
    return f"`{_hub_id(tuning.parent) or Path(tuning.parent).name}`"


def _hub_id(name: str) -> str | None:
    return name if re.fullmatch(r"[\w.-]+/[\w.-]+", name) else None


def _hub_base(tunings: list[provenance.Tuning]) -> str | None:
    return _hub_id(tunings[0].parent) if tunings else None


def _shipped_base() -> Path:
    return assets_dir() / "base"


def _scores(path: Path) -> list[dict[str, Any]]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    keys = {"name", "bound", "at_least", "values"}
    return [entry for entry in entries if isinstance(entry, dict) and keys <= set(entry)]
