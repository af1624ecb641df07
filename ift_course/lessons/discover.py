"""The lessons there are, and the ones the user means."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ift_course.errors import CourseError
from ift_course.paths import notebooks_dir

START = "00"  # the first notebook: an overview, which makes no claims and has no exercises


@dataclass(frozen=True)
class Lesson:
    """`number` as "01", `name` as "01_pretraining_vs_sft", `source` the percent-format script."""

    number: str
    name: str
    source: Path

    @property
    def title(self) -> str:
        """The source's first heading, or its name when it has none."""
        heading = re.search(r"^# # (.+)$", self.source.read_text(encoding="utf-8"), re.MULTILINE)
        return heading.group(1).strip() if heading else self.name


def lessons() -> list[Lesson]:
    """All lessons, in order."""
    return [
        Lesson(number=source.name[:2], name=source.stem, source=source)
        for source in sorted(notebooks_dir().glob("[0-9][0-9]_*.py"))
    ]


def select(wanted: Sequence[str]) -> list[Lesson]:
    """The lessons called `wanted` ("1", "01" or "01_pretraining_vs_sft"), in order; none means all.

    Raises:
        CourseError: a name fits no lesson, or there are no lessons.
    """
    known = lessons()
    if not known:
        raise CourseError(f"There are no lessons in {notebooks_dir()}.")
    chosen = set()
    for word in wanted:
        found = [x for x in known if word.zfill(2) == x.number or Path(word).stem == x.name]
        if not found:
            names = ", ".join(x.name for x in known)
            raise CourseError(f'There is no lesson "{word}"; the lessons are {names}.')
        chosen.update(found)
    return [x for x in known if not wanted or x in chosen]
