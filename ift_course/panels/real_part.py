"""What a lesson measures on a real model: its arms, its data, and the differences it reports.

A lesson's module `lessons/lesson_NN/real.py` has a function `real_part()` that returns one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ift_course.panels.panel import Contrast, Measurement
from ift_course.profile import Profile

# Is called with what is being done, how much of it is done, and how much there is.
OnStep = Callable[[str, int, int], None]


def ignore(step: str, done: int, total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True)
class Job:
    """One measurement that is to be made.

    Attributes:
        profile: Whose base is measured.
        seed: Of everything random in it.
        on_step: Is called as the work proceeds.
    """

    profile: Profile
    seed: int
    on_step: OnStep = ignore


@dataclass(frozen=True)
class Arm:
    """One of the things that are compared.

    Attributes:
        name: As tables show it.
        measure: Does one measurement.
        n_seeds: How many of the profile's seeds it gets, at most: 1 where nothing is random. None
            stands for all of them.
    """

    name: str
    measure: Callable[[Job], Measurement]
    n_seeds: int | None = None

    def seeds(self, profile: Profile) -> tuple[int, ...]:
        """The seeds that it is measured with."""
        return profile.seeds[: self.n_seeds]


@dataclass(frozen=True)
class RealPart:
    """The real part of a lesson.

    Attributes:
        lesson: The lesson's number, such as "01".
        title: What the panel shows, in one line.
        arms: What is compared, in the order of the table.
        data: The files that are read, by a name for each.
        recipe: All settings that the result depends on; a panel made with others is out of date.
            A change of the code alone is not noticed: change a setting, too, or delete the file.
        metrics: The headings of the metrics, by their names; the first one is the main one.
        contrasts: The differences between arms that are reported.
    """

    lesson: str
    title: str
    arms: tuple[Arm, ...]
    data: Mapping[str, Path]
    recipe: Mapping[str, Any]
    metrics: Mapping[str, str] = field(default_factory=dict)
    contrasts: tuple[Contrast, ...] = ()
