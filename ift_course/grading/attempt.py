"""One submission graded: its cells run in the sandbox, the checks in this trusted process."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby

from ift_course.checks.catalog import Check, Exercise
from ift_course.checks.learner import LearnerLost, Local
from ift_course.checks.misconceptions import recognize
from ift_course.checks.run import Call, Verdict, Watched, watch
from ift_course.grading import reference, submissions
from ift_course.grading.plan import Plan
from ift_course.grading.results import Line
from ift_course.grading.sandbox import Died, Learner, Sandbox, Student, TimedOut
from ift_course.grading.submissions import Submission, clean

MOST_RESTARTS = 5  # cells that hang or kill the process, before the rest is given up


@dataclass(frozen=True)
class Times:
    """Seconds: for a cell, for a check, and for running all cells once."""

    cell: float = 20.0
    check: float = 10.0
    cells: float = 120.0


class _TooSlowHere(BaseException):
    """A check did not come to an end in this process; not for a check to catch."""


@dataclass
class Attempt:
    """The cells of one submission, kept running: a process that was lost is started anew."""

    sandbox: Sandbox
    cells: list[tuple[int, str]]
    times: Times
    notes: list[str] = field(default_factory=list)
    rungs: list[str] = field(default_factory=list)
    _skipped: set[int] = field(default_factory=set)
    _student: Student | None = None
    _failed: LearnerLost | None = None

    def student(self) -> Student:
        """A process in which all cells have been run. Raises LearnerLost when there can be none."""
        if self._failed:
            raise self._failed
        while self._student is None:
            first = not self.rungs
            student = self.sandbox.student()
            self.rungs = student.rungs
            lost = self._run_cells(student, note=first)
            if lost is None:
                self._student = student
                break
            student.close()
            if len(self._skipped) > MOST_RESTARTS:
                self._failed = lost
                raise lost
        return self._student

    def lose(self) -> None:
        """The process hangs or is gone: the next check gets a new one."""
        if self._student:
            self._student.close()
        self._student = None

    def _run_cells(self, student: Student, note: bool) -> LearnerLost | None:
        end = time.monotonic() + self.times.cells
        for number, source in self.cells:
            if number in self._skipped:
                continue
            student.deadline = min(end, time.monotonic() + self.times.cell)
            try:
                asked = student.cell(number, source)
            except LearnerLost as lost:
                self._skipped.add(number)
                self.notes.append(f"Cell {number} was left out: {lost}")
                return lost
            if note and asked.skipped:
                self.notes.append(f"Cell {number}: skipped {', '.join(asked.skipped)}")
            if note and asked.error and not asked.error.is_stub:
                kind, message = asked.error.kinds[0], asked.error.message
                self.notes.append(f"Cell {number} stopped with {kind}: {message}")
        return None


def grade(
    plan: Plan, wanted: list[str], submission: Submission, sandbox: Sandbox, times: Times
) -> list[Line]:
    """The lines of one submission for the results: what it is, and a verdict on each wanted check.

    wanted: ids of checks.
    """
    attempt = Attempt(sandbox, [], times, list(submission.notes))
    unreadable = ""
    try:
        attempt.cells = submissions.cells(submission)
    except submissions.Unreadable as error:
        unreadable = str(error)
        attempt.notes.append(unreadable)
    verdicts: list[Line] = []
    # Hidden ones last: what their calls showed can then come out in no public check's feedback.
    ordered = sorted(plan.checks, key=lambda pair: pair[1].hidden)
    for (exercise, _), pairs in groupby(ordered, key=lambda pair: (pair[0], pair[1].hidden)):
        chosen = [check for _, check in pairs if check.id in wanted]
        key = plan.key(exercise, submission.sha, submission.student)
        for line in _exercise(plan, attempt, submission.student, exercise, chosen, unreadable):
            verdicts.append(line | {"kind": "verdict", "student": submission.student, "key": key})
    attempt.lose()
    about = {"kind": "submission", "student": submission.student, "name": submission.name,
             "source": submission.source, "sha": submission.sha, "late": submission.late,
             "submitted": submission.submitted, "notes": [clean(x) for x in attempt.notes],
             "rungs": attempt.rungs}  # fmt: skip
    return [*verdicts, about]


def _exercise(
    plan: Plan,
    attempt: Attempt,
    student: str,
    exercise: Exercise,
    checks: list[Check],
    unreadable: str,
) -> list[Line]:
    calls, lines, limit = [], [], attempt.times.check
    for check in checks:
        start = time.monotonic()
        if unreadable:
            verdict = Verdict(check.id, check.title, check.points, "needs review", unreadable)
        else:
            verdict, called = judge(attempt, exercise, check, f"{plan.seed}/{student}", limit)
            calls += called
        if verdict.status == "timeout":
            limit = attempt.times.check / 5  # what hung once will likely hang in every check
        lines.append(_line(verdict, time.monotonic() - start))
    if any(line["status"] == "failed" for line in lines):
        known = _recognized(exercise, calls)
        lines = [line | known if line["status"] == "failed" else line for line in lines]
    return lines


def judge(
    attempt: Attempt, exercise: Exercise, check: Check, seed: str, limit: float
) -> tuple[Verdict, list[Call]]:
    """One check: the verdict, and the calls that led to it. Points only for an explicit pass.

    A fault that is not the student's becomes "needs review".
    """
    verdict = Verdict(check.id, check.title, check.points, "needs review")
    watched = None
    try:
        student = attempt.student()
        student.deadline = time.monotonic() + limit
        watched = Watched(Learner(student))
        with _alarm(limit + 5):
            verdict = watch(check, watched, seed, reference.parameters(exercise))
            if verdict.status == "broken":
                verdict = _whose_fault(exercise, check, seed, verdict)
    except TimedOut as lost:
        attempt.lose()
        verdict = replace(verdict, status="timeout", message=str(lost))
    except Died as lost:
        attempt.lose()
        verdict = replace(verdict, status="crashed", message=str(lost))
    except _TooSlowHere:
        attempt.lose()
        verdict = replace(verdict, status="timeout", message="What came back is too large.")
    except Exception as fault:
        attempt.lose()
        verdict = replace(verdict, message=f"The grader failed: {fault!r}")
    return verdict, watched.calls if watched else []


def _whose_fault(exercise: Exercise, check: Check, seed: str, verdict: Verdict) -> Verdict:
    """A check that raised is the student's failure if the solution passes it, else the grader's."""
    solution = reference.namespace(exercise)
    if solution and watch(check, Watched(Local(solution)), seed).passed:
        told = "What came back is not of the form that the docstring promises."
        return replace(verdict, status="failed", message=told)
    return replace(verdict, status="needs review")


def _recognized(exercise: Exercise, calls: list[Call]) -> Line:
    try:
        with _alarm(10):
            wrong = recognize(exercise, calls)
    except (Exception, _TooSlowHere):
        return {}
    return {"misconception": wrong.name, "advice": wrong.advice} if wrong else {}


def _line(verdict: Verdict, seconds: float) -> Line:
    line = asdict(verdict)
    if verdict.status == "error" and verdict.message.startswith("There is no function"):
        line["status"] = "missing"
    if verdict.mask:
        line["mask"] = {k: [clean(x) if type(x) is str else x for x in v][:200]
                        for k, v in line["mask"].items()}  # fmt: skip
    texts = {name: clean(value) for name, value in line.items() if type(value) is str}
    return line | texts | {"seconds": round(seconds, 3)}


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise _TooSlowHere

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
