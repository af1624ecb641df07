"""The lessons of the course, and the selection a user names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ift_course.errors import CourseError
from ift_course.paths import notebooks_dir

START = "00"  # the first notebook: an overview, which makes no claims and has no exercises


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Attributes:
        number: Such as "01".
        name: Such as "01_pretraining_vs_sft".
        source: The script in percent format.
    """

    number: str
    name: str
    source: Path

    @property
    def title(self) -> str:
        """The source's first heading, or its name when it has none."""
        heading = re.search(r"^# # (.+)$", self.source.read_text(encoding="utf-8"), re.MULTILINE)
        return heading.group(1).strip() if heading else self.name


def lessons() -> list[Lesson]:
    """Return all lessons, in order."""
    return [
        Lesson(number=source.name[:2], name=source.stem, source=source)
        for source in sorted(notebooks_dir().glob("[0-9][0-9]_*.py"))
    ]


def select(names: Sequence[str]) -> list[Lesson]:
    """Return the lessons with these names, in order; without names, all lessons.

    Args:
        names: Such as "1", "01" or "01_pretraining_vs_sft".

    Raises:
        CourseError: A name fits no lesson, or there are no lessons.
    """
    available = lessons()
    if not available:
        raise CourseError(f"There are no lessons in {notebooks_dir()}.")
    selected = set()
    for name in names:
        matches = [x for x in available if name.zfill(2) == x.number or Path(name).stem == x.name]
        if not matches:
            known = ", ".join(x.name for x in available)
            raise CourseError(f'There is no lesson "{name}"; the lessons are {known}.')
        selected.update(matches)
    return [x for x in available if not names or x in selected]
