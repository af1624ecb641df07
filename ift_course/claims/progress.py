"""Where a grid of experiments is: one bar, in a terminal, a notebook or a log."""

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
    from typing import Protocol

    class Row(Protocol):
        seconds: float


@contextmanager
def grid_progress(lesson: str) -> Iterator[Callable[[int, int, Row | None], None]]:
    """One bar for a grid of experiments: the cells done, the newest result, and the time left."""
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

        def show(done: int, total: int, row: Row | None) -> None:
            newest = f"the last took {row.seconds:.0f} s" if row else ""
            bars.update(task, completed=done, total=total, newest=newest, visible=True)
            log_line(bars, f"grid of lesson {lesson}: {done} of {total} {newest}")

        yield show


def log_line(bars: Progress, line: str) -> None:
    """Prints the line where bars show only when all is over: in a file or a CI log."""
    if not (bars.console.is_terminal or bars.console.is_jupyter):
        bars.console.print(line, highlight=False, soft_wrap=True)
