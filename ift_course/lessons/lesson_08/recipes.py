"""How each model of lesson 08 is made: the sizes on each profile, and the recipes of the grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ift_course.claims.results import Config


@dataclass(frozen=True)
class ForgettingSizes:
    """The sizes of the lesson on one profile.

    Attributes:
        special: the family of the expert.
        untaught: families that the general model does not learn, the special one among them.
        general_steps: optimizer steps of the general model.
        steps: optimizer steps of each expert, on top of the general model's.
        epochs: how often each training example is seen.
        special_questions: exam questions of the special family.
        per_family: exam questions of each family that the general model learns.
        prose: documents of unseen plain text in the exam.
        rank: of LoRA, where full tuning does not fit; 0 means full tuning.
        tokens: of an answer, at most.
    """

    special: str = "yes_no"
    untaught: tuple[str, ...] = ("yes_no", "writing", "format", "arithmetic")
    general_steps: int = 160
    steps: int = 48
    epochs: int = 4
    special_questions: int = 100
    per_family: int = 15
    prose: int = 150
    rank: int = 0
    tokens: int = 40


SIZES = {
    "tiny": ForgettingSizes(),
    "smollm2": ForgettingSizes(
        general_steps=24, steps=12, epochs=1, special_questions=10, per_family=2, prose=20, rank=16
    ),
    "gemma": ForgettingSizes(
        general_steps=24, steps=12, epochs=1, special_questions=10, per_family=2, prose=20, rank=16
    ),
    "t4": ForgettingSizes(general_steps=125, steps=32, epochs=1, per_family=10, rank=16),
    "gpu24": ForgettingSizes(general_steps=250, steps=64, epochs=1, per_family=20, rank=16),
}


@dataclass(frozen=True)
class Recipe(Config):
    """How a model is made. The default is the plain expert on top of the general model.

    Attributes:
        family: what it is an expert for; "" means the special family of `ForgettingSizes`.
        start: the model it starts from, "base" or "general".
        steps: as a multiple of the sizes' steps; 0 trains nothing.
        general: add the general model's steps.
        replay: share of the training examples that come from the general model's; None means all
            of the general model's, so that both data sets are learned at the same time.
        rate: as a multiple of the profile's learning rate.
        kl: weight of the KL divergence to the start.
        rank: of LoRA; 0 means the rank of the sizes.
        tuned: share of the tuned weights in the average with the start's; 1 averages nothing.
    """

    family: str = ""
    start: str = "general"
    steps: float = 1.0
    general: bool = False
    replay: float | None = 0.0
    rate: float = 1.0
    kl: float = 0.0
    rank: int = 0
    tuned: float = 1.0

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """An order of recipes that is the same in every run; None and numbers cannot be sorted."""
        return (repr(self),)


RECIPES: dict[str, Recipe] = {
    "base": Recipe(start="base", steps=0),
    "general model": Recipe(steps=0),
    "expert from the base": Recipe(start="base", general=True),
    "all mixed": Recipe(start="base", general=True, replay=None),
    "expert": Recipe(),
    "average, 25 % expert": Recipe(tuned=0.25),
    "average, 50 % expert": Recipe(tuned=0.5),
    "average, 75 % expert": Recipe(tuned=0.75),
    "replay 1 %": Recipe(replay=0.01),
    "replay 5 %": Recipe(replay=0.05),
    "replay 25 %": Recipe(replay=0.25),
    "LoRA, rank 16": Recipe(rank=16),
    "LoRA, rank 2": Recipe(rank=2),
    "LoRA, rank 16, rate ÷ 8": Recipe(rank=16, rate=1 / 8),
    "rate ÷ 4": Recipe(rate=1 / 4),
    "rate ÷ 16": Recipe(rate=1 / 16),
    "a quarter of the steps": Recipe(steps=1 / 4),
    "KL, weight 0.3": Recipe(kl=0.3),
    "KL, weight 3": Recipe(kl=3.0),
    "expert for writing": Recipe("writing"),
    "expert for format": Recipe("format"),
    "expert for arithmetic": Recipe("arithmetic"),
}
