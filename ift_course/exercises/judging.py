"""Running one check against one learner. The verdict is made here and nowhere else."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ift_course.exercises.catalog import Check
from ift_course.exercises.compare import MaskDiff, Mismatch
from ift_course.exercises.learner import LearnerError, LearnerLost
from ift_course.exercises.values import show


@dataclass(frozen=True)
class Verdict:
    """What one check found; all texts are plain and may hold anything a learner wrote.

    status: "passed"; "failed" (a wrong answer); "error" (the learner's code raised); "not yet"
    (it is still the stub); "broken" (the check itself raised). points: what it is worth.
    given: the call it was about. line, number: the learner's own line that raised.
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
    """A call of the learner's function: its arguments and what came of it.

    outcome: ("value", plain value) or ("error", name of the exception). after: the arguments as the
    function left them. failure: what the check said when it failed at this call.
    """

    args: tuple
    kwargs: dict[str, Any]
    outcome: tuple[str, Any] = ("lost", None)
    after: tuple = ()
    failure: Failure | None = None


class RecordingLearner:
    """A learner whose calls are written down."""

    def __init__(self, learner: Any) -> None:
        self._learner = learner
        self.calls: list[Call] = []

    @property
    def arguments(self) -> tuple:
        return self._learner.arguments

    def __getattr__(self, name: str) -> Any:
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


def judge(check: Check, learner: Any, seed: int | str = 0, names: Sequence[str] = ()) -> Verdict:
    """Runs a check. `names`: of the function's parameters, for showing its input.

    Raises LearnerLost when the learner's process is lost; everything else becomes a verdict.
    """
    return watch(check, RecordingLearner(learner), seed, names)


def watch(
    check: Check, learner: RecordingLearner, seed: int | str, names: Sequence[str] = ()
) -> Verdict:
    """As `judge`, with the learner's calls written down in `learner`."""
    try:
        check.run(**{name: value for name, value in _fixtures(check, learner, seed).items()})
    except LearnerLost:
        raise
    except Exception as error:
        told = _told(error)
        given = _given(learner.calls[-1], names) if learner.calls else ""
        verdict = Verdict(check.id, check.title, check.points, **{"given": given} | told)
        if learner.calls:
            learner.calls[-1].failure = Failure(check, seed, verdict)
        return verdict
    return Verdict(check.id, check.title, check.points, "passed")


def _fixtures(check: Check, learner: RecordingLearner, seed: int | str) -> dict[str, Any]:
    rng = random.Random(f"{seed}/{check.id}")
    known = {"seed": rng.getrandbits(31), "rng": rng, "learner": learner}
    return {name: known[name] for name in check.needs}


def _told(error: Exception) -> dict[str, Any]:
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
        known = error.kinds[0] in ("Missing", "NotPlainData", "StillRunning")
        message = error.message if known else f"{error.kinds[0]}: {error.message}"
        return {
            "status": "error",
            "message": message,
            "line": error.line,
            "number": error.number,
        }
    if isinstance(error, AssertionError):
        return {"status": "failed", "message": str(error)}
    return {
        "status": "broken",
        "message": f"The check itself failed ({type(error).__name__}: {error}); please report it.",
    }


def _given(call: Call, names: Sequence[str]) -> str:
    places = [names[i] if i < len(names) else "" for i in range(len(call.args))]
    pairs = [*zip(places, call.args, strict=True), *call.kwargs.items()]
    return "\n".join(_assigned(name, value) for name, value in pairs)


def _assigned(name: str, value: Any) -> str:
    lead = f"{name} = " if name else ""
    return lead + show(value).replace("\n", "\n" + " " * len(lead))
