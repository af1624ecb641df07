"""Progress bars and summary of `ift run` and `ift build`."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from ift_course.authoring.run_lessons import Outcome
from ift_course.claims import store
from ift_course.claims.progress import log_line
from ift_course.lessons.discover import Lesson
from ift_course.lessons.timings import minutes, read_timings
from ift_course.profile import Profile


class LessonProgress:
    """A bar for each lesson: its name, finished cells, time so far, and time of the last run."""

    def __init__(self, profile: Profile) -> None:
        self._timings = read_timings(profile.name)
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("cells"),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[expected]}", style="dim"),
            console=Console(stderr=True),
        )

    def __enter__(self) -> LessonProgress:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def start(self, lesson: Lesson, cells: int) -> None:
        """Add the bar of a lesson with that many code cells."""
        timing = self._timings.get(lesson.number)
        expected = f"expected {minutes(timing.seconds)}" if timing else "not measured before"
        with self._lock:
            self._tasks[lesson.number] = self._bars.add_task(
                lesson.name, total=cells, expected=expected
            )

    def cell(self, lesson: Lesson, number: int) -> None:
        """Show that a code cell starts; the numbers begin with 1."""
        self._bars.update(self._tasks[lesson.number], completed=number - 1)

    def finish(self, outcome: Outcome) -> None:
        """Stop the bar of a lesson, and print a line where no bars are drawn."""
        task = self._tasks[outcome.lesson.number]
        self._bars.update(task, expected="failed" if outcome.error else "done")
        if not outcome.error:
            self._bars.update(task, completed=outcome.timing.cells)
        self._bars.stop_task(task)
        duration = minutes(outcome.timing.seconds)
        log_line(self._bars, f"{outcome.lesson.name}: {outcome.timing.status}, {duration}")


def summary(outcomes: Sequence[Outcome]) -> Table:
    """A table of each lesson's result, cost and number of claims that hold."""
    table = Table(box=None, pad_edge=False)
    for name in ("lesson", "result", "time", "peak memory", "claims that hold"):
        table.add_column(name, justify="left" if name in ("lesson", "result") else "right")
    for x in outcomes:
        holding = sum(claim.holds for claim in x.claims)
        table.add_row(
            x.lesson.name,
            x.timing.status,
            minutes(x.timing.seconds),
            f"{x.timing.peak_mb / 1000:.1f} GB",
            f"{holding} of {len(x.claims)}",
        )
    return table


def beside_published(outcomes: Sequence[Outcome], profile: str) -> Table | None:
    """The effect of each claim beside the published one; None where there is none to compare."""
    published = store.published_claims(profile)
    table = Table(box=None, pad_edge=False)
    for name in ("claim", "yours", "published"):
        table.add_column(name, justify="left" if name == "claim" else "right")
    for claim in (claim for outcome in outcomes for claim in outcome.claims):
        if claim.id in published:
            effects = (claim.effect, published[claim.id].effect)
            table.add_row(claim.id, *(f"{effect:.3g}" for effect in effects))
    return table if table.row_count else None
