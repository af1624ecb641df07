"""One submission graded: its cells run in the sandbox, the checks in this trusted process.

What this process does with the values that come back is limited as well. An alarm ends Python code
that takes too long. It cannot end one call into C, so each step is announced before it begins, and
the process that asked for the grade kills this one when a step does not end (see `pool`). The step
is then one of the `skipped_steps`.
"""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, cast

from ift_course.exercises.execution import definitions
from ift_course.exercises.judging import Call, RecordingLearner, Verdict, run_check
from ift_course.exercises.learner import InProcessLearner, LearnerLost
from ift_course.exercises.misconceptions import recognize
from ift_course.grading import reference
from ift_course.grading.names import clean
from ift_course.grading.sandbox import (
    STARTING,
    CellResult,
    Died,
    RemoteLearner,
    Sandbox,
    TimedOut,
    Worker,
)
from ift_course.grading.submissions.submission import Submission, Unreadable, cells

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from ift_course.exercises.catalog import Check, Exercise
    from ift_course.exercises.misconceptions import Misconception
    from ift_course.grading.plan import GradingPlan
    from ift_course.grading.results import SubmissionLine, VerdictLine

    # Takes the name of a step and the seconds it may take.
    OnStep = Callable[[str, float], None]

MOST_RESTARTS = 5  # cells that hang or kill the process, before the rest is given up
MOST_RUNS = 3  # times the limit for all cells, for running them again after each lost process
ADVICE = 10.0  # seconds for finding out which misconception it is
GRACE = 1.0  # seconds that this process may take for an answer on top of the student's time
KILL = 9.0  # seconds after which this process is killed; a busy machine may stall for some
TOO_LONG = "The answer takes too long to inspect."
MOST_TOKENS = 200  # of a loss mask that is kept


@dataclass(frozen=True)
class TimeLimits:
    """How long student code may take.

    Attributes:
        cell: Seconds for a cell.
        check: Seconds for a check.
        cells: Seconds for running all cells once.
    """

    cell: float = 20.0
    check: float = 10.0
    cells: float = 120.0


class _TooSlowHere(BaseException):
    """A check did not end in this process in time; no check should catch it."""


@dataclass
class Attempt:
    """The cells of one submission, kept running: a process that was lost is replaced.

    Attributes:
        sandbox: Where the cells run.
        cells: (number, source) of each.
        limits: For the time they take.
        notes: For the student, about what happened.
        layers: The layers of the sandbox that were active; empty before any code has run.
        skipped_steps: Names of steps to leave out.
        on_step: Takes each step before it begins.
        mute: Whether no more notes are taken, because a hidden check's input may have caused them.
    """

    sandbox: Sandbox
    cells: list[tuple[int, str]]
    limits: TimeLimits
    notes: list[str] = field(default_factory=list)
    layers: list[str] = field(default_factory=list)
    skipped_steps: Collection[str] = ()
    on_step: OnStep = lambda name, seconds: None
    mute: bool = False
    _left_out: set[int] = field(default_factory=set)
    _only_definitions: set[int] = field(default_factory=set)
    _seconds: float = 0.0  # for running cells, in all processes together
    _worker: Worker | None = None
    _failed: LearnerLost | None = None

    def worker(self) -> Worker:
        """A process in which all cells have been run.

        Raises:
            LearnerLost: There can be none.
        """
        if self._failed:
            raise self._failed
        while self._worker is None:
            if self._seconds > MOST_RUNS * self.limits.cells:
                self._failed = TimedOut("The cells took too long, again and again.")
                raise self._failed
            first, start = not self.layers, time.monotonic()
            self.on_step("", STARTING)
            worker = self.sandbox.new_worker()
            self.layers = worker.layers
            lost = self._run_cells(worker, take_notes=first)
            self._seconds += time.monotonic() - start
            if lost is None:
                self._worker = worker
                break
            worker.close()
            if len(self._left_out) + len(self._only_definitions) > MOST_RESTARTS:
                self._failed = lost
                raise lost
        return self._worker

    def drop_worker(self) -> None:
        """Closes a process that hangs or is gone; the next check gets a new one."""
        if self._worker:
            self._worker.close()
        self._worker = None

    def _run_cells(self, worker: Worker, take_notes: bool) -> LearnerLost | None:
        """Runs the cells in order. Returns how the process was lost, None if it was not."""
        end = time.monotonic() + self.limits.cells
        for number, source in self.cells:
            if number in self._left_out:
                continue
            if number in self._only_definitions:
                source = definitions(source)
            limit = max(0.0, min(end - time.monotonic(), self.limits.cell))
            try:
                result = self._run_cell(worker, number, source, limit)
            except LearnerLost as lost:
                self._shorten(number, source, lost)
                return lost
            if take_notes:
                self._note(number, result)
        return None

    def _run_cell(self, worker: Worker, number: int, source: str, limit: float) -> CellResult:
        shortened = number in self._only_definitions
        step = f"definitions of cell {number}" if shortened else f"cell {number}"
        if step in self.skipped_steps:
            raise Died(TOO_LONG)
        worker.deadline = time.monotonic() + limit
        self.on_step(step, limit + KILL)
        try:
            with _alarm(limit + GRACE):
                return worker.run_cell(number, source)
        except _TooSlowHere:
            raise Died(TOO_LONG) from None

    def _shorten(self, number: int, source: str, lost: LearnerLost) -> None:
        """Runs less of a cell that lost the process: its definitions, the next time nothing."""
        if number in self._only_definitions or not definitions(source):
            self._left_out.add(number)
            sentence = f"Cell {number} was left out: {lost}"
        else:  # a slow experiment below a function must not cost the function
            self._only_definitions.add(number)
            sentence = f"Of cell {number} only the definitions were run: {lost}"
        if not self.mute:
            self.notes.append(sentence)

    def _note(self, number: int, result: CellResult) -> None:
        if result.skipped:
            self.notes.append(f"Cell {number}: skipped {', '.join(result.skipped)}")
        if result.error and not result.error.is_stub:
            kind, message = result.error.kinds[0], result.error.message
            self.notes.append(f"Cell {number} stopped with {kind}: {message}")


def grade_submission(
    plan: GradingPlan,
    check_ids: Collection[str],
    submission: Submission,
    sandbox: Sandbox,
    limits: TimeLimits,
    skipped_steps: Collection[str] = (),
    on_step: OnStep = lambda name, seconds: None,
) -> tuple[list[VerdictLine], SubmissionLine]:
    """Grades one submission.

    Args:
        plan: The lesson's checks.
        check_ids: The checks to run.
        submission: What was handed in.
        sandbox: Where the student's code runs.
        limits: For the time it takes.
        skipped_steps: Names of steps that never ended in an earlier try; they are left out.
        on_step: Takes the name of each step and the seconds it may take before it begins.

    Returns:
        Lines for the results: a verdict on each of the checks, and what the submission is.
    """
    attempt = Attempt(
        sandbox,
        [],
        limits,
        list(submission.notes),
        skipped_steps=frozenset(skipped_steps),
        on_step=on_step,
    )
    unreadable = _read_cells(attempt, submission)
    verdicts: list[VerdictLine] = []
    # Hidden checks last: what their calls showed can then come out in no public check's feedback.
    ordered = sorted(plan.checks, key=lambda pair: pair[1].hidden)
    for (exercise, _), pairs in groupby(ordered, key=lambda pair: (pair[0], pair[1].hidden)):
        checks = [check for _, check in pairs if check.id in check_ids]
        verdicts += _grade_exercise(plan, attempt, submission, exercise, checks, unreadable)
    attempt.drop_worker()
    line: SubmissionLine = {
        "kind": "submission", "student": submission.student, "name": submission.name,
        "source": submission.source, "sha": submission.sha, "late": submission.late,
        "submitted": submission.submitted, "notes": [clean(x) for x in attempt.notes],
        "rungs": attempt.layers,
    }  # fmt: skip
    return verdicts, line


def _read_cells(attempt: Attempt, submission: Submission) -> str:
    """Reads the cells. Returns why that is not possible, an empty text if it is."""
    message = "Reading the file takes too long."
    limit = attempt.limits.cell
    if "reading" not in attempt.skipped_steps:
        attempt.on_step("reading", limit + KILL)
        try:
            with _alarm(limit + GRACE):
                attempt.cells = cells(submission)
            return ""
        except Unreadable as error:
            message = str(error)
        except _TooSlowHere:
            pass
    attempt.notes.append(message)
    return message


def _grade_exercise(
    plan: GradingPlan,
    attempt: Attempt,
    submission: Submission,
    exercise: Exercise,
    checks: list[Check],
    unreadable: str,
) -> list[VerdictLine]:
    """Runs checks of one exercise, all public or all hidden."""
    calls: list[Call] = []
    lines: list[VerdictLine] = []
    limit, seed = attempt.limits.check, f"{plan.seed}/{submission.student}"
    key = plan.key(exercise, submission.sha, submission.student)
    for check in checks:
        start = time.monotonic()
        if unreadable:
            verdict = Verdict(check.id, check.title, check.points, "needs review", unreadable)
        elif check.id in attempt.skipped_steps:
            verdict = Verdict(check.id, check.title, check.points, "timeout", TOO_LONG)
        else:
            verdict, check_calls = grade_check(attempt, exercise, check, seed, limit)
            calls += check_calls
        if verdict.status == "timeout":
            limit = attempt.limits.check / 5  # code that hung once will likely hang in every check
        lines.append(_line(verdict, submission.student, key, time.monotonic() - start))
    step = f"advice {exercise.id}"
    failed = [line for line in lines if line["status"] == "failed"]
    if failed and step not in attempt.skipped_steps:
        attempt.on_step(step, ADVICE + KILL)
        if misconception := _recognized(exercise, calls):
            for line in failed:
                line["misconception"] = misconception.name
                line["advice"] = misconception.advice
    return lines


def grade_check(
    attempt: Attempt, exercise: Exercise, check: Check, seed: str, limit: float
) -> tuple[Verdict, list[Call]]:
    """Runs one check. There are points for an explicit pass only.

    Args:
        attempt: The submission.
        exercise: Whose check it is.
        check: The check.
        seed: Of its inputs.
        limit: Seconds for it.

    Returns:
        The verdict, which is "needs review" for a fault that is not the student's; and the calls of
        the student's function that led to it.
    """
    verdict = Verdict(check.id, check.title, check.points, "needs review")
    learner = None
    try:
        worker = attempt.worker()
        attempt.mute = attempt.mute or check.hidden
        attempt.on_step(check.id, limit + KILL)
        worker.deadline = end = time.monotonic() + limit
        learner = RecordingLearner(RemoteLearner(worker))
        with _alarm(limit + GRACE):
            verdict = run_check(check, learner, seed, reference.parameters(exercise))
            if verdict.status == "broken":
                verdict = _whose_fault(exercise, check, seed, verdict)
            elif verdict.passed and time.monotonic() > end:
                raise _TooSlowHere  # points are earned inside all limits
    except TimedOut as lost:
        attempt.drop_worker()
        verdict = replace(verdict, status="timeout", message=str(lost))
    except Died as lost:
        attempt.drop_worker()
        verdict = replace(verdict, status="crashed", message=str(lost))
    except _TooSlowHere:
        attempt.drop_worker()
        verdict = replace(verdict, status="timeout", message=TOO_LONG)
    except Exception as fault:
        attempt.drop_worker()
        verdict = replace(verdict, message=f"The grader failed: {fault!r}")
    return verdict, learner.calls if learner else []


def _whose_fault(exercise: Exercise, check: Check, seed: str, verdict: Verdict) -> Verdict:
    """A check that raised is the student's failure if the solution passes it, else the grader's."""
    solution = reference.namespace(exercise)
    if solution and run_check(check, InProcessLearner(solution), seed).passed:
        message = "The returned value does not have the form that the docstring promises."
        return replace(verdict, status="failed", message=message)
    return replace(verdict, status="needs review")


def _recognized(exercise: Exercise, calls: list[Call]) -> Misconception | None:
    """The misconception that the calls show, if one is recognized in time."""
    try:
        with _alarm(ADVICE):
            return recognize(exercise, calls)
    except (Exception, _TooSlowHere):
        return None


def _line(verdict: Verdict, student: str, key: str, seconds: float) -> VerdictLine:
    """The line of the results for a verdict; nothing in it can steer a terminal."""
    fields = asdict(verdict)
    if verdict.status == "error" and verdict.message.startswith("There is no function"):
        fields["status"] = "missing"
    if verdict.mask:
        fields["mask"] = {
            name: [clean(x) if type(x) is str else x for x in values][:MOST_TOKENS]
            for name, values in fields["mask"].items()
        }
    texts = {name: clean(value) for name, value in fields.items() if type(value) is str}
    about = {"kind": "verdict", "student": student, "key": key, "seconds": round(seconds, 3)}
    return cast("VerdictLine", fields | texts | about)


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raises `_TooSlowHere` in the block after so many seconds."""

    def ring(*_: object) -> None:
        raise _TooSlowHere

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
