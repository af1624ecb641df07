"""Wrong versions that learners really write, each with one sentence of advice.

The checks `lessons/lesson_02/checks/test_3_response_labels.py` have their wrong versions in
`lessons/lesson_02/misconceptions/response_labels.py`. One is recognized by what it does, not by how
it is written: it answers every call of the checks as the learner's function did, and fails the same
checks for the same reasons.
"""

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ift_course.exercises.catalog import Exercise, load
from ift_course.exercises.compare import difference
from ift_course.exercises.judging import Call, Failure, RecordingLearner, watch
from ift_course.exercises.learner import InProcessLearner, LearnerError
from ift_course.paths import PACKAGE

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
    room = PACKAGE / "lessons" / f"lesson_{exercise.lesson}"
    path = room / "misconceptions" / f"{exercise.function}.py"
    if not path.exists():
        return []
    module = load(path, f"ift_wrong_{exercise.lesson}_{exercise.number}")
    marked = [x for x in vars(module).values() if inspect.isfunction(x) and hasattr(x, "advice")]
    return [Misconception(x.__name__.replace("_", " "), x.advice, x) for x in marked]


def recognize(exercise: Exercise, calls: Sequence[Call]) -> Misconception | None:
    """The wrong version that explains what the checks found fault with.

    It has to answer all calls as the learner's function did and, put in its place, to fail the same
    checks with the same words. A right value that was refused for another reason, as for its form,
    is thus never called a misconception.

    Returns:
        None if no version does, if no check failed, or if nothing was answered at all.
    """
    failures = [call.failure for call in calls if call.failure]
    if not failures or not any(call.outcome[0] == "value" for call in calls):
        return None
    for wrong in misconceptions(exercise):
        if all(_same(call, wrong, exercise.function) for call in calls) and all(
            _explains(wrong, failure, exercise.function) for failure in failures
        ):
            return wrong
    return None


def _explains(wrong: Misconception, failure: Failure, name: str) -> bool:
    learner = RecordingLearner(InProcessLearner({name: wrong.function}))
    verdict = watch(failure.check, learner, failure.seed)
    same_message = verdict.message == failure.verdict.message or verdict.status == "error"
    return verdict.status == failure.verdict.status and same_message


def _same(call: Call, wrong: Misconception, name: str) -> bool:
    learner = InProcessLearner({name: wrong.function})
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
