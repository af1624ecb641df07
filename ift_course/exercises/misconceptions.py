"""Wrong versions that learners really write, each with one sentence of advice.

The checks `lessons/lesson_02/checks/test_3_response_labels.py` have their wrong versions in
`lessons/lesson_02/misconceptions/response_labels.py`. A version is recognized by what it does, not
by how it is written: it answers every call of the checks as the learner's function did, and fails
the same checks for the same reasons.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from ift_course.exercises.catalog import Exercise, load_module
from ift_course.exercises.compare import difference
from ift_course.exercises.judging import Call, Failure, run_check
from ift_course.exercises.learner import InProcessLearner, LearnerError
from ift_course.paths import PACKAGE

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Misconception:
    """A wrong version.

    Attributes:
        name: In words.
        advice: One sentence to the learner who wrote it.
        function: The version itself.
    """

    name: str
    advice: str
    function: Callable[..., Any]


def misconception(advice: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a function as a wrong version, with one sentence to the learner who wrote it."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        marked: Any = function
        marked.advice = advice
        return marked

    return mark


def variants(model: Callable[..., Any]) -> Callable[..., Callable[..., Any]]:
    """Prepare wrong versions that differ from a right function in some of its rules.

    Args:
        model: A right function whose rules are keyword arguments.

    Returns:
        A function of (advice, **rules) that makes one wrong version. The version's name is that of
        the variable it is assigned to.
    """

    def wrong(advice: str, **rules: Any) -> Callable[..., Any]:
        @misconception(advice)
        @wraps(model)
        def version(*args: Any, **kwargs: Any) -> Any:
            return model(*args, **rules, **kwargs)

        return version

    return wrong


def misconceptions(exercise: Exercise) -> list[Misconception]:
    """List the wrong versions of an exercise in the order of their file."""
    room = PACKAGE / "lessons" / f"lesson_{exercise.lesson}"
    path = room / "misconceptions" / f"{exercise.function}.py"
    if not path.exists():
        return []
    module = load_module(path, f"ift_wrong_{exercise.lesson}_{exercise.number}")
    versions: dict[str, Any] = {
        name: value for name, value in vars(module).items() if hasattr(value, "advice")
    }
    return [Misconception(name.replace("_", " "), x.advice, x) for name, x in versions.items()]


def recognize(exercise: Exercise, calls: Sequence[Call]) -> Misconception | None:
    """Find the wrong version that explains why the checks failed.

    The version has to answer all calls as the learner's function did and, put in its place, fail
    the same checks with the same messages. A right value that was refused for another reason, for
    example for its form, is therefore never called a misconception.

    Args:
        exercise: Whose wrong versions are tried.
        calls: All calls that the checks made.

    Returns:
        The version, or None if no version explains it, no check failed, or no call returned.
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
    verdict = run_check(failure.check, InProcessLearner({name: wrong.function}), failure.seed)
    same_message = verdict.message == failure.verdict.message or verdict.status == "error"
    return verdict.status == failure.verdict.status and same_message


def _same(call: Call, wrong: Misconception, name: str) -> bool:
    learner = InProcessLearner({name: wrong.function})
    kind, value = call.outcome
    try:
        answer = getattr(learner, name)(*copy.deepcopy(call.args), **call.kwargs)
    except LearnerError as error:
        return (kind, value) == ("error", error.kinds[0])
    return (
        kind == "value"
        and difference(answer, value, TOLERANCE) is None
        and difference(learner.arguments, call.after) is None
    )
