"""What to change if a run does not fit: each change with its saving and its cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ift_course.memory.estimate import MemoryEstimate

MIN_SAVING = 0.01  # of the total; a smaller saving is not listed
MIN_SEQ = 256  # tokens; shorter sequences are another task


@dataclass(frozen=True)
class Option:
    """A choice that could be made differently.

    Attributes:
        action: What to do, with the flag of `ift sft`.
        cost: What it costs apart from memory.
        choices: The new choices, for `MemoryEstimate.change`.
    """

    action: str
    cost: str
    choices: dict[str, Any]


@dataclass(frozen=True)
class Change:
    """An option that is taken.

    Attributes:
        option: The option.
        saves: The bytes it saves.
        estimate: The estimate after the change.
    """

    option: Option
    saves: int
    estimate: MemoryEstimate


def changes(estimate: MemoryEstimate) -> list[Change]:
    """Return every single change that saves memory, the cheapest first."""
    single = (_apply(estimate, [option])[0] for option in _options(estimate))
    return [change for change in single if change.saves >= MIN_SAVING * estimate.total]


def until_it_fits(estimate: MemoryEstimate, gb: float) -> list[Change] | None:
    """Return the cheapest changes after which a GPU is large enough.

    Args:
        estimate: The run.
        gb: The size of the GPU in GB.

    Returns:
        The changes in order, each with what it saves after those before it. No change is listed
        that is not needed. None if no changes are enough.
    """
    options: list[Option] = []
    current = estimate
    while not current.fits(gb):
        change = next(iter(changes(current)), None)
        if change is None:
            return None
        options.append(change.option)
        current = change.estimate
    for option in reversed(list(options)):
        others = [other for other in options if other is not option]
        if others and _apply(estimate, others)[-1].estimate.fits(gb):
            options = others
    # Adapters come first: later savings depend on them, while theirs hardly depends on the others.
    return _apply(estimate, sorted(options, key=lambda option: "method" not in option.choices))


def largest(estimate: MemoryEstimate, choice: Literal["batch", "seq"], gb: float) -> int:
    """Return the largest batch or sequence that fits if nothing else changes; 0 if none does.

    Args:
        estimate: The run.
        choice: What to enlarge.
        gb: The size of the GPU in GB.
    """
    fitting, failing = 0, 1
    while estimate.change(**{choice: failing}).fits(gb):
        fitting, failing = failing, 2 * failing
    while failing - fitting > 1:
        middle = (fitting + failing) // 2
        if estimate.change(**{choice: middle}).fits(gb):
            fitting = middle
        else:
            failing = middle
    return fitting


def _apply(estimate: MemoryEstimate, options: Sequence[Option]) -> list[Change]:
    """Return the changes that options make one after the other."""
    applied = []
    for option in options:
        changed = estimate.change(**option.choices)
        applied.append(Change(option, estimate.total - changed.total, changed))
        estimate = changed
    return applied


def _options(estimate: MemoryEstimate) -> Iterator[Option]:
    """Yield what could still be chosen differently, the cheapest first."""
    setup = estimate.setup
    if setup.precision == "fp32":
        yield Option(
            "train in mixed precision", "nothing, on a GPU that has it", {"precision": "mixed"}
        )
    if not setup.chunked_loss:
        yield Option(
            "compute the loss in chunks (--chunked-loss)",
            "a little time: logits are computed twice",
            {"chunked_loss": True},
        )
    if not setup.checkpointing:
        yield Option(
            "turn on checkpointing (--checkpointing)",
            "time: every layer runs forward twice",
            {"checkpointing": True},
        )
    if setup.batch > 1:
        batch, accumulation = setup.batch // 2, setup.accumulation * 2
        yield Option(
            f"smaller micro-batches (--batch-size {batch} --accumulation {accumulation})",
            "time: the same step in smaller pieces",
            {"batch": batch, "accumulation": accumulation},
        )
    if setup.optimizer == "adamw":
        yield Option(
            "8-bit optimizer states (--optimizer adamw_8bit)",
            "the optimizer's states are rounded",
            {"optimizer": "adamw_8bit"},
        )
    if setup.method == "full":
        yield Option(
            "train adapters (--method lora)",
            "what is learned has to fit into small matrices",
            {"method": "lora", "precision": "mixed"},
        )
    if setup.method == "lora":
        yield Option(
            "frozen weights in 4 bits (--method qlora)",
            "time, and weights rounded to 16 levels",
            {"method": "qlora"},
        )
    if setup.optimizer != "paged_adamw_8bit":
        yield Option(
            "paged optimizer states (--optimizer paged_adamw_8bit)",
            "time, whenever they move to main memory",
            {"optimizer": "paged_adamw_8bit"},
        )
    if setup.seq // 2 >= MIN_SEQ:
        yield Option(
            f"shorter sequences (--max-length {setup.seq // 2})",
            "the ends of longer sequences are never learned",
            {"seq": setup.seq // 2},
        )
