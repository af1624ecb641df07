"""All checks of one exercise on one learner: shown on a card and counted as progress."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ift_course.exercises import catalog
from ift_course.exercises.judging import RecordingLearner, Verdict, run_check
from ift_course.exercises.learner import InProcessLearner
from ift_course.exercises.misconceptions import recognize


@dataclass(frozen=True)
class Report:
    """The verdicts on an exercise, and the advice of a misconception that was recognized.

    Attributes:
        id: The exercise's id, for example "02.3".
        function: The name of the function that was checked.
        verdicts: One per check.
        advice: One sentence; empty if no misconception explains the failures.
    """

    id: str
    function: str
    verdicts: Sequence[Verdict]
    advice: str = ""

    @property
    def earned(self) -> int:
        return sum(verdict.earned for verdict in self.verdicts)

    @property
    def points(self) -> int:
        return sum(verdict.points for verdict in self.verdicts)

    @property
    def passed(self) -> bool:
        return all(verdict.passed for verdict in self.verdicts)

    @property
    def begun(self) -> bool:
        """Whether the stub has been replaced."""
        return not all(verdict.status == "not yet" for verdict in self.verdicts)


def report(
    exercise: catalog.Exercise,
    namespace: dict[str, Any],
    seed: int | str = 0,
    limit: float | None = None,
) -> Report:
    """Run all checks that are not hidden on the functions of a namespace, in this process.

    Args:
        exercise: Whose checks are run.
        namespace: The learner's functions by name.
        seed: Varies the inputs.
        limit: Seconds after which a call of the learner's function is stopped; None waits.

    Returns:
        The verdicts, with the advice of a misconception if one explains them.
    """
    names = parameters(namespace.get(exercise.function))
    verdicts, calls, in_process = [], [], InProcessLearner(namespace, limit)
    for check in catalog.checks(exercise):
        if not check.hidden:
            learner = RecordingLearner(in_process)
            verdicts.append(run_check(check, learner, seed, names))
            calls += learner.calls
    wrong = None if all(x.passed for x in verdicts) else recognize(exercise, calls)
    return Report(exercise.id, exercise.function, verdicts, wrong.advice if wrong else "")


def parameters(function: Callable[..., Any] | None) -> list[str]:
    """The names of a function's parameters; none if there is no function or no signature."""
    if function is None:
        return []
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []
