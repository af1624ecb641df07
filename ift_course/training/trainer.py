"""TRL's SFTTrainer without what a small model on a CPU pays for and does not use.

Imported only when training starts: trl and peft take seconds to load.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers import PrinterCallback, Trainer, TrainerCallback
from trl import SFTTrainer

from ift_course import ranks
from ift_course.data.loss_mask import IGNORE
from ift_course.disk import disk_errors
from ift_course.training.checkpoints import mark_complete


class ResponseTrainer(SFTTrainer):
    """SFTTrainer on rows that are tokens and labels already, with the model's own loss.

    TRL's `compute_loss` also measures entropy and token accuracy at every step, and sends its
    projection through a loop over chunks made for large vocabularies on a GPU. The loss is the
    same: the mean cross-entropy of the labelled tokens (tests/parity/test_sft_loss.py).

    tiles: take TRL's way after all, which never holds the logits of all tokens at once.
    """

    def __init__(self, *args: Any, tiles: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.remove_callback(PrinterCallback)
        self.tokens_seen = 0
        self.tiles = tiles
        if not tiles:
            restore_forward(self.model)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        self.tokens_seen += self._real_tokens(inputs)
        if self.tiles:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        inputs = {**inputs, "use_cache": False}
        return Trainer.compute_loss(self, model, inputs, return_outputs, num_items_in_batch)

    def _real_tokens(self, inputs) -> int:
        """How many tokens of a batch are not padding."""
        if "attention_mask" in inputs:
            return int(inputs["attention_mask"].sum())
        # Padding of packed sequences is a record that begins anew and has no labels.
        starts = (inputs["position_ids"] == 0).cumsum(-1)
        last = starts == starts[:, -1:]
        padding = last & ~((inputs["labels"] != IGNORE) & last).any(-1, keepdim=True)
        return int((~padding).sum())

    def _get_train_sampler(self, train_dataset=None) -> Sampler:
        lengths = [len(ids) for ids in self.train_dataset["input_ids"]]
        return SimilarLengths(lengths, self.args.train_batch_size, self.args.seed)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """TRL writes a README.md into every checkpoint; a checkpoint is not for readers."""

    def _send_telemetry(self) -> None:
        """The course works offline and reports to nobody."""


def restore_forward(model: torch.nn.Module) -> None:
    """Undo what trl and accelerate put in place of `model.forward`.

    Both bind a wrapper to the instance, so a `copy.deepcopy` of the model would go on computing
    with the original's weights.
    """
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    for module in (model, base):
        vars(module).pop("forward", None)
        vars(module).pop("_original_forward", None)


def run(
    trainer: Trainer,
    checkpoint: Path | None = None,
    *,
    output_dir: str | Path | None = None,
    progress: bool = False,
) -> float:
    """Train to the end, with a progress bar or without; returns the seconds it took.

    Raises CourseError if what is written below output_dir does not fit on the disk.
    """
    bar = ProgressBar() if progress and ranks.is_first() else None
    if bar:
        trainer.add_callback(bar)
    started = time.perf_counter()
    try:
        with disk_errors(Path(output_dir or ".")):
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    finally:
        if bar:
            bar.stop()
        restore_forward(trainer.model)
    return time.perf_counter() - started


class SimilarLengths(Sampler[int]):
    """A new random order in every epoch in which the rows of a batch have similar lengths.

    Sorting only within a window of some batches saves most of the padding and leaves the batches
    mixed. The order depends on seed and epoch alone, so a resumed run meets the same batches.
    """

    WINDOW = 8  # batches

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int):
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def __len__(self) -> int:
        return len(self.lengths)

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(1_000_003 * self.seed + self.epoch)
        order = torch.randperm(len(self.lengths), generator=generator).tolist()
        size, window = self.batch_size, self.batch_size * self.WINDOW
        batches = []
        for start in range(0, len(order), window):
            rows = sorted(order[start : start + window], key=lambda row: self.lengths[row])
            batches += [rows[i : i + size] for i in range(0, len(rows), size)]
        # A short batch must come last, or all the batches after it would be cut elsewhere.
        short = [batches.pop()] if len(batches[-1]) < size else []
        shuffled = torch.randperm(len(batches), generator=generator).tolist()
        for batch in [*(batches[i] for i in shuffled), *short]:
            yield from batch


class Checkpoints(TrainerCallback):
    """Asks for a checkpoint every so many steps and seconds, and marks it once it is whole."""

    def __init__(self, settings: dict[str, Any], every_steps: int, every_seconds: float):
        self.settings, self.every_steps, self.every_seconds = settings, every_steps, every_seconds
        self.last = time.monotonic()

    def on_step_end(self, args, state, control, **kwargs):
        # The clocks of several processes differ, and all of them must save at the same step.
        late = ranks.count() == 1 and time.monotonic() - self.last >= self.every_seconds
        due = state.global_step % self.every_steps == 0 or state.global_step == state.max_steps
        control.should_save = due or late
        return control

    def on_save(self, args, state, control, **kwargs):
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        ranks.wait()  # each process adds its own random state
        if ranks.is_first():
            mark_complete(folder, self.settings)
        self.last = time.monotonic()


class ProgressBar(TrainerCallback):
    """One line: steps done, loss, time gone and to go."""

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

    def on_train_begin(self, args, state, control, **kwargs):
        self.task = self.bar.add_task(
            "", total=state.max_steps, completed=state.global_step, loss="–"
        )
        self.bar.start()

    def on_log(self, args, state, control, logs=None, **kwargs):
        if logs and "loss" in logs:
            self.bar.update(self.task, completed=state.global_step, loss=f"{logs['loss']:.3f}")

    def stop(self) -> None:
        self.bar.stop()
