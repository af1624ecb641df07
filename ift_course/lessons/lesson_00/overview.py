"""Overview for a newcomer: is this machine sufficient, and what do the lessons cost?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ift_course.exercises import source
from ift_course.lessons.discover import Lesson, lessons
from ift_course.lessons.doctor import Diagnosis, diagnose
from ift_course.lessons.timings import Timing, minutes, read_timings
from ift_course.plots.cards import Card
from ift_course.plots.transcript import LEFT
from ift_course.profile import get_profile

CARD_MINUTES = re.compile(r"^# [●○]+ · (\d+) minutes", re.MULTILINE)
UNKNOWN = "not measured yet"


@dataclass(frozen=True)
class LessonRow:
    """A lesson with its cost.

    Attributes:
        lesson: The lesson.
        seconds, peak_mb: Cost of the last run; None if it was not measured.
        exercises: Number of exercises.
        exercise_minutes: Sum of the estimates on their cards.
    """

    lesson: Lesson
    seconds: int | None
    peak_mb: int | None
    exercises: int
    exercise_minutes: int

    @property
    def cells(self) -> list[str]:
        """Number, time, memory and exercises as text; the title goes after the number."""
        return [
            self.lesson.number,
            UNKNOWN if self.seconds is None else minutes(self.seconds),
            "" if self.peak_mb is None else f"{self.peak_mb / 1000:.1f} GB",
            f"{self.exercises}, about {self.exercise_minutes} min" if self.exercises else "",
        ]


@dataclass(frozen=True)
class CourseMap:
    """The lessons as a table, as HTML with links and as plain text."""

    rows: Sequence[LessonRow]
    note: str

    @property
    def seconds(self) -> int:
        """The time of all measured lessons together."""
        return sum(row.seconds or 0 for row in self.rows)

    @property
    def exercise_minutes(self) -> int:
        """The sum of the estimates on all exercise cards."""
        return sum(row.exercise_minutes for row in self.rows)

    def html(self) -> str:
        """A plain table that needs no style sheet."""
        heads = ("", "lesson", "runs in", "memory", "exercises")
        head = "".join(f"<th {LEFT}>{name}</th>" for name in heads)
        body = ""
        for row in self.rows:
            number, *rest = map(escape, row.cells)
            title = f'<a href="{row.lesson.name}.ipynb">{escape(row.lesson.title)}</a>'
            cells = "".join(f"<td {LEFT}>{cell}</td>" for cell in (number, title, *rest))
            body += f"<tr>{cells}</tr>"
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"{table}<p><small>{escape(self.note)}</small></p>"

    def __str__(self) -> str:
        width = max((len(row.lesson.title) for row in self.rows), default=0)
        lines = [
            f"{number}  {row.lesson.title:{width}}  {time:>16}  {memory:>7}  {exercises}".rstrip()
            for row in self.rows
            for number, time, memory, exercises in [row.cells]
        ]
        return "\n".join([*lines, self.note])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": str(self)}


def course_map(profile: str | None = None, *, published: bool = False) -> CourseMap:
    """The lessons with the cost of their last run, here or by the authors.

    Args:
        profile: A profile's name; None means `$IFT_PROFILE`, or "tiny" without that.
        published: Show only the authors' measurements.
    """
    timings = read_timings(get_profile(profile).name, published=published)
    rows = [_row(lesson, timings.get(lesson.number)) for lesson in lessons()]
    machines = sorted({timings[r.lesson.number].machine for r in rows if r.seconds is not None})
    return CourseMap(rows, f"Times measured on {'; '.join(machines)}." if machines else "")


def verdict(profile: str | None = None) -> Card:
    """The diagnosis of `ift doctor` in one card."""
    return card(diagnose(get_profile(profile)))


def card(diagnosis: Diagnosis) -> Card:
    """A short form of a diagnosis: the machine, the profiles that fit it, and each problem."""
    blocked = [x for x in diagnosis.problems if x.blocking]
    hardware = diagnosis.hardware
    machine = f"{hardware.cpu}, {hardware.cores} cores, {hardware.memory_gb} GB"
    fits = [x.profile for x in diagnosis.profiles if x.fits]
    return Card(
        kind="bad" if blocked else "good",
        verdict="not yet" if blocked else "this machine is sufficient",
        title=f"{machine} of memory, {hardware.gpu or 'no GPU'}, Python {diagnosis.python}",
        details=[
            f"It can run the profiles {', '.join(fits)}." if fits else "It fits no profile.",
            *(f"{x.profile} {x.why_not}." for x in diagnosis.profiles if not x.fits),
            *(f"{x.problem}: {x.remedy}." for x in diagnosis.problems),
        ],
    )


def _row(lesson: Lesson, timing: Timing | None) -> LessonRow:
    if timing and timing.status != "ok":
        timing = None
    path = source.folder() / f"{lesson.name}.py"
    cards = CARD_MINUTES.findall(path.read_text(encoding="utf-8")) if path.exists() else []
    return LessonRow(
        lesson=lesson,
        seconds=timing.seconds if timing else None,
        peak_mb=timing.peak_mb if timing else None,
        exercises=len(cards),
        exercise_minutes=sum(map(int, cards)),
    )
