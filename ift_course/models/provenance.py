"""What a model folder says about how it was tuned, one entry per tuning, oldest first."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.paths import assets_dir

FILE = "training.json"
OURS = "the base model of the course"
LIBRARIES = ("torch", "transformers", "trl", "peft")


@dataclass(frozen=True)
class Tuning:
    """One run of `ift sft` or `ift dpo`, as it happened."""

    method: str  # "sft" or "dpo"
    changes: str  # "full", "lora" or "qlora"
    start: str  # the model it began with: a hub id, a folder, or OURS
    data: list[str]  # the names of the files, or of the data set
    rows: int
    data_sha256: str
    settings: dict[str, Any]  # as they were asked for; None is the default
    steps: int
    loss: Sequence[float]  # mean over the first and over the last tenth of the steps
    seconds: float  # of the last call, when the run was resumed
    truncated: int  # rows whose end was cut off
    dropped: int  # rows with no response left
    machine: str
    versions: dict[str, str]


def read(folder: str | Path) -> list[Tuning]:
    """The tunings the folder tells of; none when it has no record.

    Raises CourseError when the record is damaged.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        return []
    known = [part.name for part in fields(Tuning)]
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(entries, list):
            raise TypeError
        return [Tuning(**{name: entry[name] for name in known}) for entry in entries]
    except (ValueError, TypeError, KeyError):
        raise CourseError(
            f"{path} is not a record of `ift sft`; copy it again, or delete it and do without."
        ) from None


def write(folder: str | Path, tunings: Sequence[Tuning]) -> None:
    """Leave the record in a finished model folder."""
    text = json.dumps([asdict(tuning) for tuning in tunings], indent=1, ensure_ascii=False)
    atomic_write_text(Path(folder) / FILE, text + "\n")


def carry(source: str | Path, folder: str | Path) -> None:
    """Give a folder that was made of another, as by merging, the record of that one."""
    if tunings := read(source):
        write(folder, tunings)


def described(rows: Sequence[Any]) -> dict[str, Any]:
    """What a record says of records or pairs: their files, their number and a fingerprint."""
    files = dict.fromkeys(re.sub(r", (row|line) \d+$", "", row.source) for row in rows)
    texts = [asdict(row) | {"source": ""} for row in rows]
    digest = hashlib.sha256(json.dumps(texts, sort_keys=True, default=str).encode()).hexdigest()
    return {
        "data": [name for name in files if name],
        "rows": len(rows),
        "data_sha256": digest,
    }


def outcome(result: Any) -> dict[str, Any]:
    """What a record says of an SftResult or a DpoResult, and of where it was made."""
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
    }


def start_name(source: str) -> str:
    """What a record calls the model it began with."""
    return OURS if Path(source) == assets_dir() / "base" else source
