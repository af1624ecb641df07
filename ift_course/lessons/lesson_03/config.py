"""One cell of lesson 03's grid: what a model is tuned on and how long, and what came of it."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from pydantic import BaseModel, ConfigDict

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


class Row(BaseModel):
    """What one cell of a grid gave with one seed.

    items: "1" or "0" for each test question, by the strict score. lenient: share of answers with
    the right words anywhere. ended: share that ended by themselves. clean: share of the training
    examples whose response is right. said: answers to a few fixed questions.
    seconds: all of the cell, the model's loading and the questions included.
    base: of the model's weights, the first digits of their SHA-256 or the Hub's revision.
    """

    model_config = ConfigDict(frozen=True)

    cell: Cell
    seed: int
    items: str
    lenient: float
    ended: float
    clean: float
    said: dict[str, str]
    steps: int
    loss: float
    seconds: float
    date: str
    base: str
    machine: str
    threads: int
    versions: dict[str, str]

    @property
    def scores(self) -> list[float]:
        """1.0 or 0.0 for each test question: what `claim` takes as one seed of an arm."""
        return [float(item) for item in self.items]

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return self.items.count("1") / len(self.items)
