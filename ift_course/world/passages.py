"""What all passages of the corpus share: their people, how they are mixed, their punctuation."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from ift_course.world.tables import CHARACTERS

# A function that writes a passage, and how often it is chosen relative to the others.
WeightedPassage = tuple[Callable[[random.Random], str], float]


def two_characters(rng: random.Random) -> list[str]:
    """Draw the first names of two different people."""
    return rng.sample(CHARACTERS, 2)


def draw_passages(kinds: Sequence[WeightedPassage], rng: random.Random) -> str:
    """Draw one to three passages, one below the other.

    Args:
        kinds: Kinds of passages and their weights.
        rng: Source of all random choices.
    """
    writers, weights = zip(*kinds, strict=True)
    chosen = rng.choices(writers, weights, k=rng.choice((1, 1, 2, 3)))
    return "\n".join(tidy(write(rng)) for write in chosen)


def tidy(text: str) -> str:
    """Leave one punctuation mark where a quoted sentence ends the sentence around it."""
    for double, single in (("..", "."), ("?.", "?"), ('.".', '."'), ('?".', '?"'), (".,", ",")):
        text = text.replace(double, single)
    return text
