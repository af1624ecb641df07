"""Exercises: written once in solutions/NN_topic.py, checked by the same files everywhere.

A notebook, a shell, pytest, and the grader all run the checks that belong to the lesson:
`lessons/lesson_02/checks/test_3_response_labels.py` holds those of exercise 02.3, whose function
is `response_labels`. A check calls `learner.response_labels(...)` and compares the result with
an independent reference or a property, never with anything that the learner wrote.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any


def points(
    number: int, also: Callable[..., None] | None = None, *, hidden: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Mark a test function as a check that is worth a number of points.

    The first paragraph of the function's docstring is the check's title, in words for the learner.

    Args:
        number: Points for passing.
        also: An ordinary case (see `compare.ordinary_case`), which is asked for after the check
            and has to be right as well.
        hidden: Only the instructor's grader runs the check.

    Returns:
        The decorator.
    """

    def mark(run: Callable[..., None]) -> Callable[..., None]:
        check: Any = _followed_by(run, also) if also else run
        check.points, check.hidden = number, hidden
        return check

    return mark


def _followed_by(run: Callable[..., None], also: Callable[..., None]) -> Callable[..., None]:
    @wraps(run)
    def both(learner: Any, rng: Any) -> None:
        run(learner, rng)
        also(learner, rng)

    return both
