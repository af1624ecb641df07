"""The settings that all trainers share, on TRL's own configuration classes."""

import math
from dataclasses import fields
from typing import Any

from ift_course.hardware import bf16_is_fast


def arguments(config: type, *, steps: int, gradient_checkpointing: bool = False, **options: Any):
    """An instance of a TRL configuration: quiet, on this machine's hardware, cosine schedule.

    steps: of the whole run; the learning rate rises over the first 5 % of them. It starts at zero,
        so a run of less than twenty cannot afford that.
    """
    import torch

    gpu, bf16 = torch.cuda.is_available(), bf16_is_fast()
    known = {field.name for field in fields(config)}
    renamed = "activation_checkpointing"  # the name from transformers 5.23 on
    options[renamed if renamed in known else "gradient_checkpointing"] = gradient_checkpointing
    options.setdefault("optim", "adamw_torch_fused")
    args = config(
        use_cpu=not gpu,
        bf16=bf16,
        fp16=gpu and not bf16,
        lr_scheduler_type="cosine",
        warmup_steps=int(0.05 * steps),
        max_grad_norm=1.0,
        logging_steps=1,
        logging_nan_inf_filter=False,  # a NaN loss must be seen, not smoothed away
        save_strategy="no",  # the callback asks
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=gpu,
        remove_unused_columns=False,
        **options,
    )
    if args.n_gpu > 1:  # TRL refuses nn.DataParallel; one GPU is enough here
        args._n_gpu = 1
    return args


def steps_of(rows: int, per_step: int, epochs: float, max_steps: int = -1) -> int:
    """Optimizer steps of a run, as transformers counts them: every epoch ends with a whole step."""
    return max_steps if max_steps > 0 else math.ceil(math.ceil(rows / per_step) * epochs)


def precision() -> str:
    """What `arguments` chooses: "bf16", "fp16" or "fp32"."""
    import torch

    if bf16_is_fast():
        return "bf16"
    return "fp16" if torch.cuda.is_available() else "fp32"
