"""A specialty that is about the questions themselves: name the desk that should answer.

It is what a help desk does with its tickets. The desks are named by colors, so that an answer is
one short word, and the questions are those that the general model has learned to answer.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from ift_course.data.records import user_text
from ift_course.world.tasks import Example, sample
from ift_course.world.verify import Answer

ROUTING = "routing"
WORDINGS = (
    "Which desk does this question belong to?",
    "Name the desk for the following question.",
    "What is the desk for this question?",
    "Say which desk should answer this question.",
)
# Desk → the families of the closed world whose questions it answers; the last desk has all others.
DESKS: dict[str, tuple[str, ...]] = {
    "red": ("geography", "people"),
    "blue": ("animals", "objects"),
    "green": ("words", "translation", "grammar"),
    "yellow": (),
}


def desk(family: str) -> str:
    """The desk that answers the questions of a family."""
    return next((name for name, families in DESKS.items() if family in families), "yellow")


def draw(
    family: str, count: int, *, seed: int, families: Sequence[str], split: str = "train"
) -> list[Example]:
    """Draw examples of a specialty.

    Args:
        family: ROUTING, or a family of the closed world.
        count: how many.
        seed: of the draw.
        families: where the questions to be routed come from.
        split: "train" or "test".
    """
    if family != ROUTING:
        return sample(count, seed=seed, families=[family], split=split)
    rng = random.Random(f"{seed}-{split}-{ROUTING}")
    questions = sample(count, seed=1000 + seed, families=families, split=split)
    return [
        Example(
            instruction=rng.choice(WORDINGS),
            input=user_text(question.instruction, question.input),
            response=desk(question.family),
            task=ROUTING,
            family=ROUTING,
            entity=question.entity,
            answer=Answer("value", (desk(question.family),)),
        )
        for question in questions
    ]
