"""Lesson 05's and lesson 11's findings as sentences that are written from the measured values."""

from __future__ import annotations

from collections.abc import Sequence

from ift_course.evaluation.intervals import paired_difference

Items = Sequence[Sequence[float]]  # for each seed 1.0 or 0.0 for each prompt


def compared(measure: str, first: str, first_items: Items, second: str, second_items: Items) -> str:
    """Which of two arms has less of a measure, by how much, and whether that may be chance.

    Args:
        measure: Its name.
        first: An arm.
        first_items: Its items, seed by seed.
        second: The other arm.
        second_items: Its items, with the same seeds and prompts.
    """
    effect, (low, high) = paired_difference(first_items, second_items)
    numbers = f"{effect:+.2f} (95 % interval {low:+.2f} to {high:+.2f})"
    if low <= 0 <= high:
        return f"{measure}: {first} and {second} cannot be told apart, {numbers}"
    return f"{measure}: {first} has {'less' if effect < 0 else 'more'} than {second}, {numbers}"


def against_bound(first_items: Items, second_items: Items, at_least: float) -> str:
    """How the difference of two arms, first minus second, compares with what was predicted of it.

    Args:
        first_items: The items of the first arm, seed by seed.
        second_items: The items of the second arm, with the same seeds and prompts.
        at_least: The bound that was written down before the measurement.
    """
    effect, (low, high) = paired_difference(first_items, second_items)
    verdict = "as predicted" if low >= at_least else "missed" if high < at_least else "not decided"
    return (
        f"predicted at least {at_least:+.2f}, measured {effect:+.2f} "
        f"(95 % interval {low:+.2f} to {high:+.2f}): {verdict}"
    )
