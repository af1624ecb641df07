"""How each model of lesson 08 is made: the sizes on each profile, and the recipes of the grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ift_course.claims.results import Config
from ift_course.lessons.lesson_08.routing import ROUTING

# The families that the general model never learns.
UNTAUGHT = ("yes_no", "arithmetic", "format", "writing")
# Each of them has its expert.
SPECIALTIES = (ROUTING, "yes_no", "arithmetic", "format")


@dataclass(frozen=True)
class ForgettingSizes:
    """The sizes of the lesson on one profile.

    Attributes:
        general_steps: optimizer steps of the general model.
        steps: optimizer steps of each expert, on top of the general model's.
        epochs: how often each training example is seen.
        special_questions: exam questions of the specialty.
        development_questions: of the specialty, about entities of the training split; they choose
            the learning rate.
        per_family: exam questions of each family that the general model learns.
        rank: of LoRA, where full tuning does not fit; 0 means full tuning.
        tokens: of an answer, at most.
        looks: the steps after which an expert without a remedy is scored on a part of the exam.
    """

    general_steps: int = 160
    steps: int = 32
    epochs: int = 4
    special_questions: int = 80
    development_questions: int = 40
    per_family: int = 12
    rank: int = 0
    tokens: int = 40
    looks: tuple[int, ...] = (2, 4, 8, 16)


SMALL = ForgettingSizes(
    general_steps=24,
    steps=12,
    epochs=1,
    special_questions=10,
    development_questions=10,
    per_family=2,
    rank=16,
    looks=(3, 6),
)
SIZES = {
    "tiny": ForgettingSizes(),
    "smollm2": SMALL,
    "gemma": SMALL,
    "t4": ForgettingSizes(general_steps=125, steps=32, epochs=1, per_family=10, rank=16),
    "gpu24": ForgettingSizes(general_steps=250, steps=64, epochs=1, per_family=20, rank=16),
}


@dataclass(frozen=True)
class Recipe(Config):
    """How a model is made. The default is the general model, which nobody has specialized.

    Attributes:
        family: the specialty; "" stands for no specialization.
        rate: the peak learning rate, as a multiple of the method's usual one.
        replay: share of the training examples that come from other families.
        own: whether the answers of the replayed examples are the general model's own.
        rank: of LoRA; 0 means the rank of the sizes.
        tuned: share of the tuned weights in the average with the general model's.
        start: the model it starts from, "base" or "general".
    """

    family: str = ""
    rate: float = 1.0
    replay: float = 0.0
    own: bool = False
    rank: int = 0
    tuned: float = 1.0
    start: str = "general"


# Peak learning rates as multiples of the usual ones: the profile's for full tuning, and
# `default_learning_rate` for LoRA.
RATES = {"full": (1.0, 1 / 3), "lora": (1 / 3, 1 / 9)}
PLAIN, ORIGINAL, OWN, LORA, AVERAGE = (
    "expert",
    "replay, original rows",
    "replay, own answers",
    "LoRA",
    "average",
)
METHODS: dict[str, Recipe] = {
    PLAIN: Recipe(),
    AVERAGE: Recipe(tuned=0.5),
    ORIGINAL: Recipe(replay=0.25),
    OWN: Recipe(replay=0.25, own=True),
    LORA: Recipe(rank=16),
}
RECIPES = {"base": Recipe(start="base"), "general model": Recipe()}


def candidates(family: str, method: str) -> list[Recipe]:
    """The recipes of a method for a specialty, one for each learning rate."""
    recipe = METHODS[method]
    rates = RATES["lora" if recipe.rank else "full"]
    return [replace(recipe, family=family, rate=rate) for rate in rates]


# Every specialty has its expert. The remedies are measured on the one that has real content and
# whose questions look like those of the other families.
REMEDIED = ROUTING
GRID: tuple[Recipe, ...] = (
    *RECIPES.values(),
    *(
        recipe
        for family in SPECIALTIES
        for method in (METHODS if family == REMEDIED else [PLAIN])
        for recipe in candidates(family, method)
    ),
)
