"""The train and test split: which entities training examples never ask about."""

from __future__ import annotations

import random
from functools import cache

from ift_course.world import tables
from ift_course.world.facts import WORLD_SEED, Fact, by_subject

SPLITS = ("train", "test")
HELD_OUT_SHARE = 0.25
# The course's running examples: always held out, so that a lesson never shows a training example.
ALWAYS_HELD_OUT = frozenset({"France", "owl"})


@cache
def held_out(subjects: str) -> frozenset[str]:
    """The entities of one kind that training examples never ask about.

    Args:
        subjects: Kind of entity, e.g. "country".
    """
    names = sorted({subject for kind, subject in by_subject() if kind == subjects})
    rng = random.Random(f"{WORLD_SEED}-{subjects}")
    count = max(1, round(HELD_OUT_SHARE * len(names)))
    entities = set(rng.sample(names, count)) | (ALWAYS_HELD_OUT & set(names))
    if subjects == "adjective":  # One direction of a pair gives the other away: hold out both.
        pairs = [pair for pair in tables.OPPOSITES if pair[0] in entities]
        entities = {word for pair in pairs for word in pair}
    return frozenset(entities)


def in_split(fact: Fact, split: str) -> bool:
    """Whether the fact's subject belongs to the split."""
    return (fact.subject in held_out(fact.relation.subjects)) == (split == "test")
