"""A configuration of lesson 03's grid (what a model is tuned on, and how long) and its result."""

from __future__ import annotations

from dataclasses import dataclass

from ift_course.claims.results import Config, Result, item_scores

STEPS = 63  # at equal compute: one epoch over 1,000 examples in batches of 16


@dataclass(frozen=True)
class LimaConfig(Config):
    """A training set and a compute budget.

    Attributes:
        examples: how many the model is tuned on.
        flawed: share of them that is damaged.
        steps: optimizer steps.
        good_only: train on the undamaged examples alone, as if somebody had removed the others.
    """

    examples: int
    flawed: float = 0.0
    steps: int = STEPS
    good_only: bool = False


class TunedResult(Result):
    """How the model of one configuration and seed did; lesson 09 has such results, too.

    `seconds` covers the whole run, including the loading of the model and the evaluation.

    Attributes:
        items: "1" or "0" for each test question, by the strict score.
        clean: share of the training examples whose response is right.
        answers: question → answer, for a few fixed questions.
        steps: optimizer steps.
        loss: of the last step.
        versions: package → version.
    """

    items: str
    clean: float
    answers: dict[str, str]
    steps: int
    loss: float
    versions: dict[str, str]

    @property
    def scores(self) -> list[float]:
        """1.0 or 0.0 for each test question: what `claim` takes as one seed of an arm."""
        return item_scores(self.items)

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return self.items.count("1") / len(self.items)

    @property
    def summary(self) -> str:
        """The score and the share of right responses, for a line of a lesson's output."""
        return f"{self.accuracy:.3f} right after {self.clean:.0%} right responses"


class LimaResult(TunedResult):
    """The result of a configuration of lesson 03."""

    config: LimaConfig
