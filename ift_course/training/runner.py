"""The skeleton of every tuning run: sft, dpo, train_reward and grpo say only what is their own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ift_course import distributed
from ift_course.data.chat_templates import stop_at_end_of_turn
from ift_course.disk import disk_errors
from ift_course.errors import CourseError
from ift_course.hardware import peak_memory_mb
from ift_course.training.adapter import adapted_layers, not_adapted
from ift_course.training.checkpoints import data_digest, model_digest, resume_or_start, step_of

if TYPE_CHECKING:
    import torch
    from transformers import (
        PreTrainedModel,
        PreTrainedTokenizerBase,
        Trainer,
        TrainerCallback,
        TrainingArguments,
    )

    from ift_course.training.options import Method, TrainOptions


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """A tuned model and what it cost. With "lora" and "qlora" the model is a PeftModel.

    Attributes:
        history: what TRL logged at each step, resumed steps included: "loss", "learning_rate",
            "grad_norm" and what the trainer adds.
        seconds: of this call; a resumed run counts only its own steps.
        peak_mb: highest memory of the process so far, or of the GPU, in MB of 10^6 bytes.
        dropped: rows without a response token within `max_length`.
        truncated: rows of which a response lost its end.
        resumed_from: the step of the checkpoint it resumed from.
        adapted: how many layers carry LoRA, by their last name.
        not_adapted: weight matrices that are not linear layers, so that LoRA left them alone.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    history: list[dict[str, float]]
    steps: int
    seconds: float
    peak_mb: float
    dropped: int = 0
    truncated: int = 0
    resumed_from: int = 0
    adapted: dict[str, int] = field(default_factory=dict)
    not_adapted: list[str] = field(default_factory=list)

    @property
    def losses(self) -> list[float]:
        """The mean loss of every step."""
        return self.curve("loss")

    def curve(self, name: str) -> list[float]:
        """Return one logged quantity by step, such as "loss" or "learning_rate"."""
        return [entry[name] for entry in self.history]


class Fitted(NamedTuple):
    """What `fit` returns: a result, and the trainer for what it alone has counted."""

    result: TrainingResult
    trainer: Any


def fit(
    trainer_class: type[Trainer],
    config_class: type[TrainingArguments],
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[dict[str, Any]],
    options: TrainOptions,
    *,
    dtype: torch.dtype,
    config: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    output_dir: str | Path | None = None,
    callbacks: Sequence[TrainerCallback] = (),
    **components: Any,
) -> Fitted:
    """Train `model` on `rows` in place, from the first step or from a checkpoint.

    Args:
        trainer_class: a trainer of TRL.
        config_class: its configuration.
        rows: one dict per training row, in the columns that the trainer reads.
        options: of the run; the learning rate must have been chosen.
        dtype: what the weights become after full fine-tuning.
        config: what the configuration takes beyond the shared options.
        settings: what a resumed run must repeat beyond the shared options.
        output_dir: for checkpoints; None writes none.
        callbacks: of the caller.
        components: what the trainer takes beyond model, rows, tokenizer and callbacks.

    Raises:
        CourseError: the checkpoints in `output_dir` belong to a run with other settings, or the
            disk is full.
    """
    from datasets import Dataset

    from ift_course.models.quantize import float_adapters
    from ift_course.training.arguments import training_arguments
    from ift_course.training.trainable_rows import row_by_row
    from ift_course.training.trainer import restore_forward

    args = training_arguments(
        config_class,
        options,
        steps=options.steps(len(rows)),
        output_dir=output_dir,
        **(config or {}),
    )
    checkpoint, savers = _checkpoints(model, rows, options, settings or {}, output_dir)
    trainer: Any = trainer_class(
        model=model,
        args=args,
        train_dataset=Dataset.from_list(list(rows)),
        processing_class=tokenizer,
        callbacks=[*savers, *callbacks],
        **components,
    )
    float_adapters(trainer.model)
    adapted = adapted_layers(trainer.model) if options.uses_adapter else {}
    left_out = not_adapted(trainer.model) if adapted and not options.lora.targets else []
    started = time.perf_counter()
    try:
        with (
            disk_errors(Path(output_dir or ".")),
            _progress_bar(trainer, options.progress),
            row_by_row(trainer.model),
        ):
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    finally:
        restore_forward(trainer.model)
    seconds = time.perf_counter() - started
    tuned = trainer.model if options.uses_adapter else trainer.model.to(dtype)
    if tuned.can_generate():  # the trainer has put the tokenizer's eos there
        stop_at_end_of_turn(tuned, tokenizer)
    result = TrainingResult(
        model=tuned.eval(),
        tokenizer=tokenizer,
        history=[entry for entry in trainer.state.log_history if "loss" in entry],
        steps=trainer.state.global_step,
        seconds=seconds,
        peak_mb=peak_memory_mb(),
        resumed_from=step_of(checkpoint),
        adapted=adapted,
        not_adapted=left_out,
    )
    return Fitted(result, trainer)


def make_trainable(model: PreTrainedModel, method: Method) -> torch.dtype:
    """Give the weights the type in which the method can train them, in place.

    Returns:
        The type they had, which a fully tuned model gets back.

    Raises:
        CourseError: 4-bit weights are to be tuned in full, or they cannot be trained at all.
    """
    import torch

    from ift_course.models.quantize import is_four_bit, patch_bitsandbytes, to_four_bit

    dtype = next(model.parameters()).dtype
    if method == "qlora" and not is_four_bit(model):
        to_four_bit(model)
    if is_four_bit(model):
        if method == "full":
            raise CourseError('4-bit weights cannot be tuned; use method="qlora".')
        patch_bitsandbytes(model)
    elif method == "full" and dtype != torch.float32:
        model.float()  # half-precision weights would round most of the updates away
    return dtype


def _checkpoints(
    model: PreTrainedModel,
    rows: Sequence[dict[str, Any]],
    options: TrainOptions,
    settings: Mapping[str, Any],
    output_dir: str | Path | None,
) -> tuple[Path | None, list[TrainerCallback]]:
    """Return the checkpoint to resume from, and the callback that writes more of them."""
    if output_dir is None:
        return None, []
    from ift_course.training.arguments import precision
    from ift_course.training.callbacks import Checkpoints

    identity = options.settings(model) | dict(settings) | {"precision": precision()}
    identity |= {"data": data_digest(rows), "model": model_digest(model)}
    checkpoint = resume_or_start(Path(output_dir), identity, resume=options.resume)
    return checkpoint, [Checkpoints(identity, options.checkpoint_steps, options.checkpoint_seconds)]


@contextmanager
def _progress_bar(trainer: Trainer, progress: bool) -> Iterator[None]:
    """Show a bar while the trainer trains, in the process that prints."""
    from ift_course.training.callbacks import ProgressBar

    if not progress or not distributed.is_main_process():
        yield
        return
    bar = ProgressBar()
    trainer.add_callback(bar)
    try:
        yield
    finally:
        bar.stop()
