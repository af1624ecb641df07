"""An overview for newcomers: whether this machine is sufficient, the lessons, and their costs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

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
class LessonCost:
    """What a lesson costs.

    Attributes:
        lesson: the lesson.
        seconds: its run takes; None where it was not measured.
        peak_mb: the most memory used, in MB of 10^6 bytes; None where it was not measured.
        exercises: how many there are.
        exercise_minutes: what their cards estimate together.
    """

    lesson: Lesson
    seconds: int | None
    peak_mb: int | None
    exercises: int
    exercise_minutes: int

    @property
    def cells(self) -> list[str]:
        """Number, time, memory and exercises in words; the title is a column of its own."""
        return [
            self.lesson.number,
            UNKNOWN if self.seconds is None else minutes(self.seconds),
            "" if self.peak_mb is None else f"{self.peak_mb / 1000:.1f} GB",
            f"{self.exercises}, about {self.exercise_minutes} min" if self.exercises else "",
        ]


@dataclass(frozen=True)
class CourseMap:
    """The lessons as a table, as HTML with links and as plain text."""

    rows: Sequence[LessonCost]
    note: str  # where the times were measured

    @property
    def seconds(self) -> int:
        """The run time of all lessons that were measured."""
        return sum(row.seconds or 0 for row in self.rows)

    @property
    def exercise_minutes(self) -> int:
        """What the cards of all exercises estimate together."""
        return sum(row.exercise_minutes for row in self.rows)

    def html(self) -> str:
        """A plain table that reads the same without a style sheet."""
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
        wide = max((len(row.lesson.title) for row in self.rows), default=0)
        lines = [
            f"{number}  {row.lesson.title:{wide}}  {time:>16}  {memory:>7}  {exercises}".rstrip()
            for row in self.rows
            for number, time, memory, exercises in [row.cells]
        ]
        return "\n".join([*lines, self.note])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": str(self)}


def course_map(profile: str | None = None, *, published: bool = False) -> CourseMap:
    """The lessons with the costs of their last run, here or by the authors.

    Args:
        profile: a profile's name; None means `$IFT_PROFILE`, and "tiny" without that.
        published: only what the authors measured.
    """
    timings = read_timings(get_profile(profile).name, published=published)
    rows = [_row(lesson, timings.get(lesson.number)) for lesson in lessons()]
    machines = sorted({timings[r.lesson.number].machine for r in rows if r.seconds is not None})
    return CourseMap(rows, f"Times measured on {'; '.join(machines)}." if machines else "")


def verdict(profile: str | None = None) -> Card:
    """The diagnosis of `ift doctor` for this machine, in one card."""
    return card(diagnose(get_profile(profile)))


def card(diagnosis: Diagnosis) -> Card:
    """A diagnosis in short: the machine, the profiles that fit, and a remedy for each problem."""
    blocked = [x for x in diagnosis.problems if x.blocking]
    hardware = diagnosis.hardware
    machine = f"{hardware.cpu}, {hardware.cores} cores, {hardware.memory_gb} GB"
    fits = [x.profile for x in diagnosis.profiles if x.fits]
    return Card(
        kind="bad" if blocked else "good",
        verdict="not yet" if blocked else "this machine will do",
        title=f"{machine} of memory, {hardware.gpu or 'no GPU'}, Python {diagnosis.python}",
        details=[
            f"It can run the profiles {', '.join(fits)}." if fits else "It fits no profile.",
            *(f"{x.profile} {x.why_not}." for x in diagnosis.profiles if not x.fits),
            *(f"{x.problem}: {x.remedy}." for x in diagnosis.problems),
        ],
    )


def _row(lesson: Lesson, timing: Timing | None) -> LessonCost:
    if timing is not None and timing.status != "ok":
        timing = None
    path = source.folder() / f"{lesson.name}.py"
    cards = CARD_MINUTES.findall(path.read_text(encoding="utf-8")) if path.exists() else []
    return LessonCost(
        lesson=lesson,
        seconds=timing.seconds if timing else None,
        peak_mb=timing.peak_mb if timing else None,
        exercises=len(cards),
        exercise_minutes=sum(map(int, cards)),
    )
