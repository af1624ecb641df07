"""The options that the four trainers share: one dataclass, checked where it is made."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, get_args

from ift_course import distributed
from ift_course.errors import CourseError
from ift_course.training.adapter import Adapter
from ift_course.training.limits import DEFAULT_OPTIMIZER, check_options

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Method = Literal["full", "lora", "qlora"]
F = TypeVar("F", bound=Callable[..., Any])
KEYWORD_ONLY = inspect.Parameter.KEYWORD_ONLY


class LoopKeywords(TypedDict, total=False):
    """The keywords that every trainer takes."""

    seed: int
    learning_rate: float | None
    warmup_ratio: float
    optimizer: str
    gradient_checkpointing: bool
    progress: bool


class EpochKeywords(LoopKeywords, total=False):
    """The keywords of a trainer that goes through a data set some number of times."""

    epochs: float
    max_steps: int
    batch_size: int
    gradient_accumulation: int
    max_length: int


class TrainingKeywords(EpochKeywords, total=False):
    """The keywords of a trainer that tunes a language model, with checkpoints."""

    method: Method
    adapter: Adapter | None
    resume: bool
    checkpoint_steps: int
    checkpoint_seconds: float


# A resumed run ends with the same weights whatever these are; the adapter is compared as a whole.
FREE_TO_CHANGE = {
    "gradient_checkpointing", "progress", "adapter", "resume", "checkpoint_steps",
    "checkpoint_seconds",
}  # fmt: skip

# What other libraries and papers call our options.
ALSO_CALLED = {
    "lr": "learning_rate",
    "num_train_epochs": "epochs",
    "per_device_train_batch_size": "batch_size",
    "gradient_accumulation_steps": "gradient_accumulation",
    "max_seq_length": "max_length",
    "optim": "optimizer",
    "warmup_steps": "warmup_ratio",
    "peft_config": "adapter",
    "rpo_alpha": "sft_weight",
    "ref_model": "reference",
}


@dataclass(frozen=True)
class TrainOptions:
    """What a run is given, but for its model and data.

    Attributes:
        seed: decides the order of the rows, dropout, and the start of new weights.
        learning_rate: the peak; None lets the trainer choose one by model size and method.
        warmup_ratio: share of the steps over which the rate rises to its peak; it falls as a
            cosine after that.
        optimizer: a name of transformers' `OptimizerNames`, such as "paged_adamw_8bit" on a GPU.
        gradient_checkpointing: compute activations twice instead of keeping them.
        progress: show a progress bar.
        epochs: how often every row is seen.
        max_steps: stop after so many steps; -1 leaves it to `epochs`.
        batch_size: rows per forward pass of each process.
        gradient_accumulation: forward passes per step.
        max_length: tokens at which a row is cut.
        method: "full" changes every weight; "lora" trains low-rank adapters (Hu et al., 2021);
            "qlora" trains them on weights of 4 bits (Dettmers et al., 2023).
        adapter: LoRA's settings; None means `Adapter()`.
        resume: continue from the last complete checkpoint; False refuses to start over one.
        checkpoint_steps: steps between two checkpoints.
        checkpoint_seconds: seconds after which one is written anyway, in a single process.

    Raises:
        CourseError: a value is out of its range (`limits.LIMITS`), or the method is unknown.
    """

    seed: int = 0
    learning_rate: float | None = None
    warmup_ratio: float = 0.05
    optimizer: str = DEFAULT_OPTIMIZER
    gradient_checkpointing: bool = False
    progress: bool = True
    epochs: float = 3.0
    max_steps: int = -1
    batch_size: int = 16
    gradient_accumulation: int = 1
    max_length: int = 512
    method: Method = "full"
    adapter: Adapter | None = None
    resume: bool = True
    checkpoint_steps: int = 200
    checkpoint_seconds: float = 60.0

    def __post_init__(self) -> None:
        """Check every value before anything is loaded."""
        check_options(
            seed=self.seed, learning_rate=self.learning_rate, warmup_ratio=self.warmup_ratio,
            optimizer=self.optimizer, epochs=self.epochs, max_steps=self.max_steps,
            batch_size=self.batch_size, gradient_accumulation=self.gradient_accumulation,
            max_length=self.max_length, rank=self.lora.rank, alpha=self.lora.alpha,
            dropout=self.lora.dropout, checkpoint_steps=self.checkpoint_steps,
            checkpoint_seconds=self.checkpoint_seconds,
        )  # fmt: skip
        if self.method not in get_args(Method):
            raise CourseError(
                f'method must be one of {", ".join(get_args(Method))}, not "{self.method}".'
            )

    @property
    def lora(self) -> Adapter:
        """The adapter's settings, given or default."""
        return self.adapter or Adapter()

    @property
    def uses_adapter(self) -> bool:
        """Whether the weights stay as they are and an adapter is trained."""
        return self.method != "full"

    def steps(self, n_rows: int) -> int:
        """Optimizer steps of all processes together, as transformers counts them.

        Every epoch ends with a whole step, and each process takes `batch_size` rows at a time. The
        warm-up is a share of these steps, so a count without the processes would stretch it.
        """
        if self.max_steps > 0:
            return self.max_steps
        rows_per_step = self.batch_size * self.gradient_accumulation * distributed.world_size()
        return math.ceil(math.ceil(n_rows / rows_per_step) * self.epochs)

    def settings(self, model: PreTrainedModel) -> dict[str, Any]:
        """What a resumed run must have in common with the one that wrote its checkpoints."""
        settings = {name: value for name, value in vars(self).items() if name not in FREE_TO_CHANGE}
        settings["processes"] = distributed.world_size()
        if self.uses_adapter:
            settings["adapter"] = asdict(self.lora) | {"targets": self.lora.resolve(model)}
        return settings

    def updated(self, trainer: Callable[..., Any], keywords: Mapping[str, Any]) -> TrainOptions:
        """Return these options with the keywords that the caller of a trainer gave.

        Args:
            trainer: a function in whose signature `accepts` has put the names it takes.
            keywords: new values by name; None stands for the default.

        Raises:
            CourseError: the trainer has no such keyword, or a value is out of its range.
        """
        parameters = inspect.signature(trainer).parameters.values()
        names = [parameter.name for parameter in parameters if parameter.kind is KEYWORD_ONLY]
        for name in keywords:
            if name not in names:
                raise CourseError(_unknown(name, names, trainer.__name__))
        return replace(self, **{k: value for k, value in keywords.items() if value is not None})


def _unknown(name: str, names: list[str], trainer: str) -> str:
    candidates = [ALSO_CALLED.get(name), *get_close_matches(name, names, n=1)]
    near = next((candidate for candidate in candidates if candidate in names), None)
    hint = f"did you mean {near}?" if near else f"it takes {', '.join(names)}."
    return f'{trainer} has no option "{name}"; {hint}'


def accepts(keywords: type, defaults: TrainOptions) -> Callable[[F], F]:
    """Put the shared options with their defaults into a trainer's signature.

    Python would show `**options` alone; with this, Shift-Tab, completion and `help` show each
    keyword and its default, as they do for a function that spells them out.

    Args:
        keywords: the TypedDict of the options that the trainer takes.
        defaults: the trainer's own default values.
    """
    types = {field.name: field.type for field in fields(TrainOptions)}

    def decorate(trainer: F) -> F:
        signature = inspect.signature(trainer)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        shared = [
            inspect.Parameter(
                name,
                KEYWORD_ONLY,
                default=getattr(defaults, name),
                annotation=types[name],
            )
            for name in keywords.__annotations__
        ]
        trainer.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
        return trainer

    return decorate
