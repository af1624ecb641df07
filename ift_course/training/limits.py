"""The ranges of a run's numbers and names, checked before anything is loaded."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ift_course.data.hub import first_sentence
from ift_course.errors import CourseError
from ift_course.models.quiet import quiet

DEFAULT_OPTIMIZER = "adamw_torch_fused"


@dataclass(frozen=True)
class Limit:
    """What a value must be.

    Attributes:
        flag: the option's name on the command line, or its plain name where it has no flag.
        rule: the range in words.
        allows: whether a finite number is in the range.
        example: a common value.
    """

    flag: str
    rule: str
    allows: Callable[[Any], bool]
    example: float


def _integer_from(minimum: int) -> Callable[[Any], bool]:
    return lambda value: value >= minimum and value == int(value)


def _at_least_zero(value: float) -> bool:
    return value >= 0


def _positive(value: float) -> bool:
    return value > 0


def _share(value: float) -> bool:
    return 0 <= value < 1


LIMITS = {
    "epochs": Limit("--epochs", "above 0", _positive, 3),
    "learning_rate": Limit("--lr", "above 0", _positive, 2e-4),
    "embedding_learning_rate": Limit("embedding_learning_rate", "above 0", _positive, 1e-5),
    "warmup_ratio": Limit("warmup_ratio", "from 0 to below 1", _share, 0.05),
    "beta": Limit("--beta", "above 0", _positive, 0.1),
    "sft_weight": Limit("sft_weight", "0 or above", _at_least_zero, 0),
    "max_steps": Limit(
        "--max-steps", "1 or above, or -1 for as many as the epochs take",
        lambda value: value == -1 or _integer_from(1)(value), -1,
    ),
    "batch_size": Limit("--batch-size", "1 or above", _integer_from(1), 16),
    "gradient_accumulation": Limit("--accumulation", "1 or above", _integer_from(1), 1),
    "max_length": Limit("--max-length", "2 or above", _integer_from(2), 1024),
    "rank": Limit("--rank", "1 or above", _integer_from(1), 16),
    "alpha": Limit("alpha", "above 0", _positive, 32),
    "dropout": Limit("dropout", "from 0 to below 1", _share, 0),
    # What transformers' set_seed, which seeds numpy too, can take.
    "seed": Limit(
        "--seed", "a whole number from 0 to 4294967295",
        lambda value: _integer_from(0)(value) and value < 2**32, 0,
    ),
    "checkpoint_steps": Limit("checkpoint_steps", "1 or above", _integer_from(1), 200),
    "checkpoint_seconds": Limit("checkpoint_seconds", "0 or above", _at_least_zero, 60),
    "max_new_tokens": Limit("--max-tokens", "1 or above", _integer_from(1), 128),
    "temperature": Limit("temperature", "0 or above", _at_least_zero, 0),
    "gpu": Limit("--gpu", "above 0, in GB", _positive, 24),
}  # fmt: skip


def check_options(*, flags: bool = False, **options: float | str | None) -> None:
    """Check the named options of a run.

    Args:
        flags: name the options as the command line does.
        options: by their names in `LIMITS`, and `optimizer`; None stands for the default.

    Raises:
        CourseError: a value is out of its range, not finite, or not a number; or transformers has
            no such optimizer.
    """
    for name, value in options.items():
        if value is None:
            continue
        if name == "optimizer":
            _check_optimizer(str(value), flags)
            continue
        limit = LIMITS[name]
        if not _is_number(value) or not limit.allows(value):
            label = limit.flag if flags else name
            raise CourseError(
                f"{label} must be {limit.rule}, not {value}; {limit.example:g} is a common value."
            )


def _is_number(value: Any) -> bool:
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and math.isfinite(value)


def check_device(name: str) -> None:
    """Check that this machine has a device.

    Args:
        name: "cpu", "cuda" or "cuda:1".

    Raises:
        CourseError: the machine does not have it.
    """
    import torch

    if name == "cpu":
        return
    kind, _, number = name.partition(":")
    n_gpus = torch.cuda.device_count()
    if kind != "cuda" or not (number or "0").isdigit() or int(number or 0) >= n_gpus:
        raise CourseError(
            f'--device must be cpu, or cuda where there is a GPU, not "{name}": this machine has '
            f"{n_gpus} GPUs."
        )


def _check_optimizer(name: str, flags: bool) -> None:
    from difflib import get_close_matches

    if name == DEFAULT_OPTIMIZER:
        return
    with quiet():
        from transformers import Trainer, TrainingArguments
        from transformers.training_args import OptimizerNames

    label = "--optimizer" if flags else "optimizer"
    names = [optimizer.value for optimizer in OptimizerNames]
    if name not in names:
        near = get_close_matches(name, names, n=3)
        hint = (
            f"did you mean {' or '.join(near)}?" if near else f"choose one of {', '.join(names)}."
        )
        raise CourseError(f'{label}: transformers has no optimizer called "{name}"; {hint}')
    try:
        with quiet():
            Trainer.get_optimizer_cls_and_kwargs(TrainingArguments(optim=name, use_cpu=True))
    except (ImportError, ValueError) as error:  # many of them come in packages of their own
        raise CourseError(
            f'{label} "{name}" cannot be used here ({first_sentence(error)}); '
            f"{DEFAULT_OPTIMIZER} needs nothing more."
        ) from error
