"""A specialty that is about the questions themselves: name the family that a question belongs to.

It is what a help desk does with its tickets. There are twelve possible answers, so a constant one
is rarely right, and the questions are those that the general model has learned to answer.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from ift_course.data.records import user_text
from ift_course.world.tasks import Example, sample
from ift_course.world.verify import Answer

ROUTING = "routing"
WORDINGS = (
    "Which topic does this question belong to?",
    "Name the topic of the following question.",
    "What is the topic of this question?",
    "Say which topic this question is about.",
)


def draw(
    family: str, count: int, *, seed: int, families: Sequence[str], split: str = "train"
) -> list[Example]:
    """Draw examples of a specialty.

    Args:
        family: ROUTING, or a family of the closed world.
        count: how many.
        seed: of the draw.
        families: the topics that questions to be routed come from.
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
            response=question.family,
            task=ROUTING,
            family=ROUTING,
            entity=question.entity,
            answer=Answer("value", (question.family,)),
        )
        for question in questions
    ]
