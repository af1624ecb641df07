"""What the lessons measure on Gemma 3 270M, one seed each, where its weights are installed.

Lesson 04 comes first, because it is about memory and speed. Nothing is published: evidence is
written by `ift build --profile gemma`. The rows show that the lessons' code runs on a GPU, how long
it takes there, and what comes out.
"""

from __future__ import annotations

import time
from typing import Any

from gpu_parts.part import Context, NotHere, Row

FIRST = "04"


def run(context: Context) -> None:
    """Measure every arm of every lesson until the time is over.

    Raises:
        NotHere: The weights are not installed, or a toy size is asked for.
    """
    if context.tiny:
        raise NotHere("A real model has no toy size; the tests run this part on a random Gemma.")
    measure_all(context)


def measure_all(context: Context) -> None:
    """Measure every arm of every lesson that has a real part.

    Raises:
        NotHere: The weights are not installed.
    """
    from ift_course.errors import CourseError
    from ift_course.lessons.real_parts import real_parts
    from ift_course.models.load import base_folder
    from ift_course.profile import REAL, get_profile

    profile = get_profile(REAL)
    try:
        base_folder(profile)
    except CourseError as error:
        raise NotHere(str(error)) from error
    for part in sorted(real_parts([]), key=lambda part: part.lesson != FIRST):
        for arm in part.arms:
            row = measure(part.lesson, arm, profile)
            context.add(row, line(row))


def measure(lesson: str, arm: Any, profile: Any) -> Row:
    """Measure one arm with the profile's first seed.

    Args:
        lesson: Its number.
        arm: An `Arm` of its real part.
        profile: The profile gemma.
    """
    from ift_course.panels.real_part import Job

    started = time.perf_counter()
    result = arm.measure(Job(profile, profile.seeds[0]))
    seconds = round(time.perf_counter() - started, 1)
    numbers = {name: digits.count("1") / len(digits) for name, digits in result.scores.items()}
    numbers |= result.quantities
    return {"lesson": lesson, "arm": arm.name, "seconds": seconds, "numbers": numbers}


def line(row: Row) -> str:
    """Return one arm as a line of text."""
    shown = "".join(f"; {name} {value:g}" for name, value in row["numbers"].items())
    return f"lesson {row['lesson']}  {row['arm']:24} {row['seconds']:.0f} s{shown}"
