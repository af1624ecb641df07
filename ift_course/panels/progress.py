"""Progress bars of a real part: one for its runs, one for the steps of the current run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ift_course.claims.progress import log_line
from ift_course.panels.real_part import OnStep


class RunBars:
    """The bars of `ift run NN --profile gemma`; in a log, a line for each run.

    Args:
        lesson: The lesson's number, such as "01".
    """

    def __init__(self, lesson: str) -> None:
        self._lesson = lesson
        self._bars = _bars(transient=False)
        self._runs = self._bars.add_task(f"lesson {lesson}", total=None)
        self._step: TaskID | None = None
        self._name = ""

    def __enter__(self) -> RunBars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show_run(self, done: int, total: int, name: str | None) -> None:
        """Show how many runs are finished, and which one is next; None after the last."""
        self._remove_step()
        self._bars.update(self._runs, completed=done, total=total)
        next_run = f"next: {name}" if name else "done"
        log_line(self._bars, f"lesson {self._lesson}: {done} of {total} runs, {next_run}")
        self._name = name or ""

    def show_step(self, step: str, done: int, total: int) -> None:
        """Show how much of a step of the current run is done."""
        description = f"{self._name}: {step}"
        if self._step is not None and self._bars.tasks[-1].description != description:
            self._remove_step()
        if self._step is None:
            self._step = self._bars.add_task(description, total=total)
        self._bars.update(self._step, completed=done, total=total)

    def say(self, sentence: str) -> None:
        """Print a sentence above the bars."""
        self._bars.console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    def _remove_step(self) -> None:
        if self._step is not None:
            self._bars.remove_task(self._step)
            self._step = None


@contextmanager
def step_bars() -> Iterator[OnStep]:
    """Show a bar for each step, as a notebook does that computes live; they vanish at the end."""
    tasks: dict[str, TaskID] = {}
    with _bars(transient=True) as bars:

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield show


def _bars(*, transient: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=Console(stderr=True),
        transient=transient,
    )
