"""Running one check against one learner. The verdict is made here and nowhere else."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ift_course.exercises.catalog import Check
from ift_course.exercises.compare import MaskDiff, Mismatch
from ift_course.exercises.learner import Learner, LearnerError, LearnerLost
from ift_course.exercises.values import render


@dataclass(frozen=True)
class Verdict:
    """The result of one check; all texts are plain and may hold anything a learner wrote.

    Attributes:
        check: The check's id.
        title: The check's title.
        points: Points of the check.
        status: "passed"; "failed" (a wrong answer); "error" (the learner's code raised an error);
            "not yet" (it is still the stub); "broken" (the check itself raised an error).
        message: What is wrong, in one or more sentences.
        given: The arguments of the call that failed.
        expected: The expected value, rendered.
        got: The returned value, rendered.
        line: The learner's own line that raised the error.
        number: The number of that line.
        mask: Where two loss masks differ.
    """

    check: str
    title: str
    points: int
    status: str
    message: str = ""
    given: str = ""
    expected: str = ""
    got: str = ""
    line: str = ""
    number: int = 0
    mask: MaskDiff | None = None

    @property
    def passed(self) -> bool:
        return self.status == "passed"

    @property
    def earned(self) -> int:
        return self.points if self.passed else 0


@dataclass(frozen=True)
class Failure:
    """A check that failed, with the seed of its inputs: it can be run again on another function."""

    check: Check
    seed: int | str
    verdict: Verdict


@dataclass
class Call:
    """A call of the learner's function.

    Attributes:
        args: Positional arguments.
        kwargs: Keyword arguments.
        outcome: ("value", plain value), ("error", name of the exception), or ("lost", None).
        after: The positional arguments as the function left them.
        failure: The check that failed at this call.
    """

    args: tuple
    kwargs: dict[str, Any]
    outcome: tuple[str, Any] = ("lost", None)
    after: tuple = ()
    failure: Failure | None = None


class RecordingLearner:
    """A learner whose calls are recorded."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self.calls: list[Call] = []

    @property
    def arguments(self) -> tuple:
        return self._learner.arguments

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._call, name)

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        call = Call(args, kwargs)
        self.calls.append(call)
        try:
            value = getattr(self._learner, name)(*args, **kwargs)
        except LearnerError as error:
            call.outcome = ("error", error.kinds[0])
            raise
        call.outcome, call.after = ("value", value), self._learner.arguments
        return value


def run_check(
    check: Check, learner: Learner, seed: int | str = 0, names: Sequence[str] = ()
) -> Verdict:
    """Run a check on a learner's functions.

    Args:
        check: The check.
        learner: Whose functions it calls. The caller may pass a `RecordingLearner` to see the
            calls.
        seed: Varies the inputs.
        names: Names of the function's parameters, for rendering the input.

    Returns:
        The verdict, whatever the functions do.

    Raises:
        LearnerLost: The learner's process is gone.
    """
    recording = learner if isinstance(learner, RecordingLearner) else RecordingLearner(learner)
    try:
        check.run(**_fixtures(check, recording, seed))
    except LearnerLost:
        raise
    except Exception as error:
        details: dict[str, Any] = _details(error)
        if recording.calls:
            details = {"given": _render_input(recording.calls[-1], names)} | details
        verdict = Verdict(check.id, check.title, check.points, **details)
        if recording.calls:
            recording.calls[-1].failure = Failure(check, seed, verdict)
        return verdict
    return Verdict(check.id, check.title, check.points, "passed")


def _fixtures(check: Check, learner: RecordingLearner, seed: int | str) -> dict[str, Any]:
    rng = random.Random(f"{seed}/{check.id}")
    fixtures = {"seed": rng.getrandbits(31), "rng": rng, "learner": learner}
    return {name: fixtures[name] for name in check.needs}


def _details(error: Exception) -> dict[str, Any]:
    """The fields of the verdict that an exception decides."""
    if isinstance(error, Mismatch):
        return {
            "status": "failed",
            "message": error.message,
            "expected": error.expected,
            "got": error.got,
            "mask": error.mask,
        }
    if isinstance(error, LearnerError):
        if error.is_stub:
            return {"status": "not yet", "message": "The function is still to be written."}
        clear = error.kinds[0] in ("Missing", "NotPlainData", "StillRunning")
        message = error.message if clear else f"{error.kinds[0]}: {error.message}"
        return {"status": "error", "message": message, "line": error.line, "number": error.number}
    if isinstance(error, AssertionError):
        return {"status": "failed", "message": str(error)}
    return {
        "status": "broken",
        "message": f"The check itself failed ({type(error).__name__}: {error}); please report it.",
    }


def _render_input(call: Call, names: Sequence[str]) -> str:
    labels = [names[i] if i < len(names) else "" for i in range(len(call.args))]
    pairs = [*zip(labels, call.args, strict=True), *call.kwargs.items()]
    return "\n".join(_assignment(name, value) for name, value in pairs)


def _assignment(name: str, value: Any) -> str:
    lead = f"{name} = " if name else ""
    return lead + render(value).replace("\n", "\n" + " " * len(lead))
