"""How each model of lesson 08 is made: the sizes on each profile, and the recipes of the grid."""

from __future__ import annotations

from dataclasses import dataclass

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
    rank: int = 0
    tokens: int = 40


SIZES = {
    "tiny": ForgettingSizes(),
    "smollm2": ForgettingSizes(
        general_steps=24, steps=12, epochs=1, special_questions=10, per_family=2, rank=16
    ),
    "gemma": ForgettingSizes(
        general_steps=24, steps=12, epochs=1, special_questions=10, per_family=2, rank=16
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
        replay: share of the training examples that come from the general model's.
        rank: of LoRA; 0 means the rank of the sizes.
        tuned: share of the tuned weights in the average with the start's; 1 averages nothing.
    """

    family: str = ""
    start: str = "general"
    steps: float = 1.0
    replay: float = 0.0
    rank: int = 0
    tuned: float = 1.0


RECIPES: dict[str, Recipe] = {
    "base": Recipe(start="base", steps=0),
    "general model": Recipe(steps=0),
    "expert": Recipe(),
    "average, 50 % expert": Recipe(tuned=0.5),
    "replay 5 %": Recipe(replay=0.05),
    "replay 25 %": Recipe(replay=0.25),
    "LoRA": Recipe(rank=16),
    "expert for format": Recipe("format"),
}
