"""Wrong versions that learners really write, each with one sentence of advice.

`lesson_02/test_3_response_labels.py` has its wrong versions in
`misconceptions/lesson_02/response_labels.py`. One is recognized by what it does, not by how it is
written: it answers every call of the checks as the learner's function did.
"""

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ift_course.checks.catalog import Exercise, load
from ift_course.checks.compare import difference
from ift_course.checks.learner import LearnerError, Local
from ift_course.checks.run import Call

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Misconception:
    """A wrong version: its name in words, the advice, and the function."""

    name: str
    advice: str
    function: Callable


def misconception(advice: str) -> Callable[[Callable], Callable]:
    """Marks a wrong version; the advice is one sentence to the learner who wrote it."""

    def mark(function: Callable) -> Callable:
        function.advice = advice
        return function

    return mark


def misconceptions(exercise: Exercise) -> list[Misconception]:
    """The wrong versions of an exercise, in the order of their file."""
    path = Path(__file__).parent / f"lesson_{exercise.lesson}" / f"{exercise.function}.py"
    if not path.exists():
        return []
    module = load(path, f"ift_wrong_{exercise.lesson}_{exercise.number}")
    marked = [x for x in vars(module).values() if inspect.isfunction(x) and hasattr(x, "advice")]
    return [Misconception(x.__name__.replace("_", " "), x.advice, x) for x in marked]


def recognize(exercise: Exercise, calls: Sequence[Call]) -> Misconception | None:
    """The wrong version that answers all these calls of the checks as the learner's function did.

    None if no version does, or if nothing was answered at all.
    """
    if not any(call.outcome[0] == "value" for call in calls):
        return None
    for wrong in misconceptions(exercise):
        if all(_same(call, wrong, exercise.function) for call in calls):
            return wrong
    return None


def _same(call: Call, wrong: Misconception, name: str) -> bool:
    learner = Local({name: wrong.function})
    kind, value = call.outcome
    try:
        again = getattr(learner, name)(*copy.deepcopy(call.args), **call.kwargs)
    except LearnerError as error:
        return (kind, value) == ("error", error.kinds[0])
    return (
        kind == "value"
        and difference(again, value, TOLERANCE) is None
        and difference(learner.arguments, call.after) is None
    )
