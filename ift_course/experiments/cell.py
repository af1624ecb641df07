"""One cell of a grid: everything that decides what a model is tuned on, and how long."""

from __future__ import annotations

from dataclasses import astuple, dataclass

# Four flaws that differ from record to record, in equal parts: what carelessness looks like.
MIXED = ("wrong", "off_topic", "echoed", "truncated")


@dataclass(frozen=True)
class Cell:
    """A training set and a budget.

    Attributes:
        examples: how many the model is tuned on.
        flawed: share of them, or of the pool, that is damaged.
        flaws: the kinds of damage, as in `world.flaws`, or ("mixed_up",).
        tasks: how many kinds of question they ask; 0 means all.
        wordings: how many ways each kind is put; 0 means all.
        steps: optimizer steps, the same for all cells that are compared at equal compute;
            0 means the profile's number of epochs.
        pool: choose the examples out of this many; 0 means that there is no choice.
        chosen_by: how, a name of `choices.CHOICES`.
    """

    examples: int
    flawed: float = 0.0
    flaws: tuple[str, ...] = MIXED
    tasks: int = 0
    wordings: int = 0
    steps: int = 0
    pool: int = 0
    chosen_by: str = ""

    @property
    def sort_key(self) -> tuple:
        """An order of cells that is the same in every run."""
        return astuple(self)
