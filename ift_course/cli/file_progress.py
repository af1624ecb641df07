"""The bar that commands show while they read a data file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ift_course.data.files import Rows


class FileProgress:
    """A bar on the terminal: the share of the file that was read, and the rows so far."""

    def __init__(self, step: str):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._step = step
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} % · {task.fields[rows]:,} rows"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )

    def __enter__(self) -> FileProgress:
        self._bar.start()
        self._task = self._bar.add_task(self._step, rows=0)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show_rows(self, rows: Rows, n_read: int) -> None:
        """Show how much of the file was read."""
        self._bar.update(self._task, total=rows.total, completed=rows.position, rows=n_read)

    def show_step(self, step: str, n_done: int, total: int) -> None:
        """Show the progress of a step after the reading, which gets a bar of its own."""
        if step != self._step:
            self._bar.update(self._task, visible=False)
            self._step, self._task = step, self._bar.add_task(step, total=total, rows=0)
        self._bar.update(self._task, completed=n_done, rows=n_done)
