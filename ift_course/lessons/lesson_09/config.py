"""Lesson 09's configurations (a pool, and how records are chosen from it) and their results."""

from __future__ import annotations

from dataclasses import dataclass

from ift_course.claims.results import Config
from ift_course.lessons.lesson_03.config import TunedResult

# This many records are chosen from a pool, and trained for this many steps.
POOL_SIZE, SELECTED, STEPS = 1000, 150, 40


@dataclass(frozen=True)
class CurationConfig(Config):
    """A pool, a way of choosing from it, and a compute budget.

    Attributes:
        method: a name of `selection.SELECTION_METHODS` or `selection.CONTROLS`.
        selected: how many records are chosen.
        pool: out of this many.
        flawed: share of the pool's originals that is damaged.
        steps: optimizer steps.
    """

    method: str
    selected: int = SELECTED
    pool: int = POOL_SIZE
    flawed: float = 0.5
    steps: int = STEPS


class CurationResult(TunedResult):
    """The result of a configuration of lesson 09."""

    config: CurationConfig
