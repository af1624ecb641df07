"""What happens between the steps of a run: checkpoints and the progress bar.

Imported only when training starts: transformers takes seconds to load.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from ift_course import distributed
from ift_course.training.checkpoints import mark_complete

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments


class Checkpoints(TrainerCallback):
    """Asks for a checkpoint every so many steps and seconds, and marks it once it is complete.

    Args:
        settings: written into each checkpoint, to recognize the run it belongs to.
        every_steps: steps between two checkpoints.
        every_seconds: seconds after which one is written anyway.
    """

    def __init__(self, settings: dict[str, Any], every_steps: int, every_seconds: float) -> None:
        self.settings, self.every_steps, self.every_seconds = settings, every_steps, every_seconds
        self.last_save = time.monotonic()

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Ask the trainer to save when it is time."""
        # The clocks of several processes differ, and all of them must save at the same step.
        is_alone = distributed.world_size() == 1
        is_late = is_alone and time.monotonic() - self.last_save >= self.every_seconds
        is_due = state.global_step % self.every_steps == 0 or state.global_step == state.max_steps
        control.should_save = is_due or is_late

    def on_save(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Mark the checkpoint as complete after all processes have written their part."""
        folder = Path(args.output_dir or ".") / f"checkpoint-{state.global_step}"
        distributed.barrier()  # each process adds its own random state
        if distributed.is_main_process():
            mark_complete(folder, self.settings)
        self.last_save = time.monotonic()


class ProgressBar(TrainerCallback):
    """One line: steps taken, loss, elapsed and remaining time."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps · loss {task.fields[loss]}"),
            TimeElapsedColumn(),
            TextColumn("·"),
            TimeRemainingColumn(),
            TextColumn("to go"),
            console=Console(stderr=True),
        )

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Show the bar, filled up to the step of the checkpoint."""
        self.task = self.bar.add_task(
            "", total=state.max_steps, completed=state.global_step, loss="–"
        )
        self.bar.start()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Move the bar to the step that was logged."""
        if logs and "loss" in logs:
            self.bar.update(self.task, completed=state.global_step, loss=f"{logs['loss']:.3f}")

    def stop(self) -> None:
        """Leave the bar on the screen as it is."""
        self.bar.stop()
