"""What to change when it does not fit: each change with what it saves and what it costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ift_course.memory.estimate import MemoryEstimate

WORTH = 0.01  # of the whole; what saves less is not worth a line
SHORTEST = 256  # tokens; shorter rows are another task


@dataclass(frozen=True)
class Option:
    """Something that can be chosen otherwise, and what that costs besides memory.

    do: in words, with the flag of `ift sft`. choices: for `MemoryEstimate.change`.
    """

    do: str
    cost: str
    choices: dict[str, Any]


@dataclass(frozen=True)
class Change:
    """An option taken: the bytes it saves, and the estimate after it."""

    option: Option
    saves: int
    estimate: MemoryEstimate


def changes(estimate: MemoryEstimate) -> list[Change]:
    """Every single change that saves memory, those that cost least first."""
    found = (_after(estimate, [option])[0] for option in _options(estimate))
    return [change for change in found if change.saves >= WORTH * estimate.total]


def until_it_fits(estimate: MemoryEstimate, gb: float) -> list[Change] | None:
    """The changes that cost least, one after the other, until the card holds it.

    Each saving is what that change adds to those before it. Nothing is in the list that the rest
    could do without. None if nothing helps.
    """
    taken: list[Option] = []
    now = estimate
    while not now.fits(gb):
        step = next(iter(changes(now)), None)
        if step is None:
            return None
        taken.append(step.option)
        now = step.estimate
    for option in reversed(list(taken)):
        others = [other for other in taken if other is not option]
        if others and _after(estimate, others)[-1].estimate.fits(gb):
            taken = others
    # Adapters first: what is saved after them depends on them, hardly the other way round.
    return _after(estimate, sorted(taken, key=lambda option: "method" not in option.choices))


def largest(estimate: MemoryEstimate, choice: str, gb: float) -> int:
    """The largest "batch" or "seq" that the card holds with all else as it is; 0 if none."""
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


def _after(estimate: MemoryEstimate, options: Sequence[Option]) -> list[Change]:
    done = []
    for option in options:
        changed = estimate.change(**option.choices)
        done.append(Change(option, estimate.total - changed.total, changed))
        estimate = changed
    return done


def _options(estimate: MemoryEstimate) -> Iterator[Option]:
    """What is left to choose otherwise, in the order of what it costs."""
    now = estimate.setup
    if now.precision == "fp32":
        yield Option(
            "train in mixed precision", "nothing, on a GPU that has it", {"precision": "mixed"}
        )
    if not now.tiles:
        yield Option(
            "take the loss in tiles (--tiles)",
            "a little time: logits are made twice",
            {"tiles": True},
        )
    if not now.checkpointing:
        yield Option(
            "turn on checkpointing (--checkpointing)",
            "time: every layer runs forward twice",
            {"checkpointing": True},
        )
    if now.batch > 1:
        batch, passes = now.batch // 2, now.accumulation * 2
        yield Option(
            f"smaller passes (--batch-size {batch} --accumulation {passes})",
            "time: the same step in smaller pieces",
            {"batch": batch, "accumulation": passes},
        )
    if now.optimizer == "adamw":
        yield Option(
            "8-bit averages (--optimizer adamw_8bit)",
            "the optimizer's averages are rounded",
            {"optimizer": "adamw_8bit"},
        )
    if now.method == "full":
        yield Option(
            "train adapters (--method lora)",
            "what is learned has to fit into small matrices",
            {"method": "lora", "precision": "mixed"},
        )
    if now.method == "lora":
        yield Option(
            "frozen weights in 4 bits (--method qlora)",
            "time, and weights rounded to 16 levels",
            {"method": "qlora"},
        )
    if now.optimizer != "paged_adamw_8bit":
        yield Option(
            "averages that move out (--optimizer paged_adamw_8bit)",
            "time, whenever it moves",
            {"optimizer": "paged_adamw_8bit"},
        )
    if now.seq // 2 >= SHORTEST:
        yield Option(
            f"shorter rows (--max-length {now.seq // 2})",
            "the ends of longer rows are never learned",
            {"seq": now.seq // 2},
        )
