"""The course's own instruction data, written by hand and dedicated to the public domain (CC0).

`README.md` beside it is the data card.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ift_course.errors import CourseError

FOLDER = Path(__file__).resolve().parent
NAMES = ("train", "test", "open", "raw", "pairs")


def path(name: str) -> Path:
    """The JSONL file of a part of the course set.

    Args:
        name: one of `NAMES`.

    Raises:
        CourseError: there is no such part.
    """
    if name not in NAMES:
        raise CourseError(f'The course set has no part "{name}"; choose one of {", ".join(NAMES)}.')
    return FOLDER / f"{name}.jsonl"


def load(name: str) -> list[dict[str, Any]]:
    """The rows of a part of the course set, in the order of its file.

    Args:
        name: one of `NAMES`.

    Raises:
        CourseError: there is no such part.
    """
    with path(name).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
