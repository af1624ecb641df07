"""TRL's configuration of a run: the shared options, on this machine's hardware."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from ift_course.hardware import bf16_is_fast

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import TrainingArguments

    from ift_course.training.options import TrainOptions

Config = TypeVar("Config", bound="TrainingArguments")


def training_arguments(
    config_class: type[Config],
    options: TrainOptions,
    *,
    steps: int,
    output_dir: str | Path | None = None,
    **specific: Any,
) -> Config:
    """Return a TRL configuration: quiet, with a linear warm-up and a cosine decay.

    Args:
        config_class: such as `SFTConfig`.
        options: of the run; the learning rate must have been chosen.
        steps: of the whole run. The rate starts at zero, so that the warm-up of a run of less than
            twenty steps is rounded down to none.
        output_dir: for checkpoints; without it, nothing is written.
        specific: what this configuration alone takes.
    """
    import torch

    has_gpu, bf16 = torch.cuda.is_available(), bf16_is_fast()
    known = {field.name for field in fields(config_class)}
    # The name from transformers 5.23 on.
    recompute = next(
        name for name in ("activation_checkpointing", "gradient_checkpointing") if name in known
    )
    values: dict[str, Any] = {
        "output_dir": str(output_dir or "."),
        "seed": options.seed,
        "data_seed": options.seed,
        "num_train_epochs": options.epochs,
        "max_steps": options.max_steps,
        "learning_rate": options.learning_rate,
        "per_device_train_batch_size": options.batch_size,
        "gradient_accumulation_steps": options.gradient_accumulation,
        "optim": options.optimizer,
        "use_cpu": not has_gpu,
        "bf16": bf16,
        "fp16": has_gpu and not bf16,
        "lr_scheduler_type": "cosine",
        "warmup_steps": int(options.warmup_ratio * steps),
        "max_grad_norm": 1.0,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # a NaN loss must be seen, not smoothed away
        "save_strategy": "no",  # the callback `Checkpoints` asks
        "save_total_limit": 2,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": has_gpu,
        "remove_unused_columns": False,
        recompute: options.gradient_checkpointing,
        **specific,
    }
    args = config_class(**values)
    if args.n_gpu > 1:  # TRL refuses nn.DataParallel; one GPU is enough here
        args._n_gpu = 1
    return args


def precision() -> str:
    """Return what `training_arguments` chooses: "bf16", "fp16" or "fp32"."""
    import torch

    if bf16_is_fast():
        return "bf16"
    return "fp16" if torch.cuda.is_available() else "fp32"
