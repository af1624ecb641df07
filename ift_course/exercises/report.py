"""All checks of one exercise on one learner: what a card shows and what progress counts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ift_course.exercises import catalog
from ift_course.exercises.judging import RecordingLearner, Verdict, watch
from ift_course.exercises.learner import InProcessLearner
from ift_course.exercises.misconceptions import recognize


@dataclass(frozen=True)
class Report:
    """The verdicts on an exercise, and the advice of a misconception that was recognized.

    id: as "02.3". function: the name of what is checked.
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
        namespace: Where the learner's functions are, by name.
        seed: Varies the inputs.
        limit: Seconds for a call of the learner's function, which is then stopped; None waits.

    Returns:
        The verdicts, with the advice of a misconception if one explains them.
    """
    names = parameters(namespace.get(exercise.function))
    verdicts, calls, local = [], [], InProcessLearner(namespace, limit)
    for check in catalog.checks(exercise):
        if not check.hidden:
            learner = RecordingLearner(local)
            verdicts.append(watch(check, learner, seed, names))
            calls += learner.calls
    wrong = None if all(x.passed for x in verdicts) else recognize(exercise, calls)
    return Report(exercise.id, exercise.function, verdicts, wrong.advice if wrong else "")


def parameters(function: Callable | None) -> list[str]:
    """The names of a function's parameters; none if it does not say."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []
