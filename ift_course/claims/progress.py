"""A progress bar for a grid of experiments, in a terminal, a notebook or a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from ift_course.claims.results import Result


@contextmanager
def grid_progress(lesson: str) -> Iterator[Callable[[int, int, Result | None], None]]:
    """Show one bar for a grid: the finished results, the duration of the newest, the time left."""
    bars = Progress(
        TextColumn("grid of lesson {task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[newest]}", style="dim"),
        console=Console(stderr=True),
    )
    with bars:
        task = bars.add_task(lesson, total=None, newest="", visible=False)

        def update(completed: int, total: int, result: Result | None) -> None:
            newest = f"the last took {result.seconds:.0f} s" if result else ""
            bars.update(task, completed=completed, total=total, newest=newest, visible=True)
            log_line(bars, f"grid of lesson {lesson}: {completed} of {total} {newest}")

        yield update


def log_line(bars: Progress, line: str) -> None:
    """Print the line where bars appear only at the very end: in a file or a CI log."""
    if not (bars.console.is_terminal or bars.console.is_jupyter):
        bars.console.print(line, highlight=False, soft_wrap=True)
