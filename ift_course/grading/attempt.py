"""One submission graded: its cells run in the sandbox, the checks in this trusted process.

What this process does with what came back is limited as well. An alarm ends Python code that takes
too long. It cannot end one call into C, so each step is announced before it begins, and the process
that asked for the grade kills this one when a step does not end (see `pool`). The step is then left
out, named in `spared`.
"""

import signal
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby

from ift_course.exercises.catalog import Check, Exercise
from ift_course.exercises.execution import definitions
from ift_course.exercises.judging import Call, RecordingLearner, Verdict, run_check
from ift_course.exercises.learner import InProcessLearner, LearnerLost
from ift_course.exercises.misconceptions import recognize
from ift_course.grading import reference, submissions
from ift_course.grading.plan import Plan
from ift_course.grading.results import Line
from ift_course.grading.sandbox import (
    STARTING,
    Asked,
    Died,
    Learner,
    Sandbox,
    Student,
    TimedOut,
)
from ift_course.grading.submissions import Submission, clean

MOST_RESTARTS = 5  # cells that hang or kill the process, before the rest is given up
MOST_RUNS = 3  # times the limit for all cells, for running them again after each lost process
ADVICE = 10.0  # seconds for finding out which misconception it is
GRACE = 1.0  # seconds that this process may take for an answer on top of the student's time
KILL = 9.0  # seconds after which this process is killed; a busy machine may stall for some
TOO_LONG = "What came back takes too long to look at."

OnStep = Callable[[str, float], None]  # gets the name of a step and the seconds it may take


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
    """The cells of one submission, kept running: a process that was lost is started anew.

    spared: names of steps to leave out. on_step: is told each step before it begins.
    """

    sandbox: Sandbox
    cells: list[tuple[int, str]]
    times: Times
    notes: list[str] = field(default_factory=list)
    rungs: list[str] = field(default_factory=list)
    spared: Collection[str] = ()
    on_step: OnStep = lambda name, seconds: None
    silent: bool = False  # nothing more is noted: a hidden check's input may be behind it
    _skipped: set[int] = field(default_factory=set)
    _shortened: set[int] = field(default_factory=set)  # cells of which only definitions are run
    _spent: float = 0.0  # seconds for running cells, in all processes together
    _student: Student | None = None
    _failed: LearnerLost | None = None

    def student(self) -> Student:
        """A process in which all cells have been run. Raises LearnerLost when there can be none."""
        if self._failed:
            raise self._failed
        while self._student is None:
            if self._spent > MOST_RUNS * self.times.cells:
                self._failed = TimedOut("The cells took too long, again and again.")
                raise self._failed
            first, start = not self.rungs, time.monotonic()
            self.on_step("", STARTING)
            student = self.sandbox.student()
            self.rungs = student.rungs
            lost = self._run_cells(student, note=first)
            self._spent += time.monotonic() - start
            if lost is None:
                self._student = student
                break
            student.close()
            if len(self._skipped) + len(self._shortened) > MOST_RESTARTS:
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
            if number in self._shortened:
                source = definitions(source)
            limit = max(0.0, min(end - time.monotonic(), self.times.cell))
            try:
                answer = self._run_cell(student, number, source, limit)
            except LearnerLost as lost:
                if number in self._shortened or not definitions(source):
                    self._skipped.add(number)
                    sentence = f"Cell {number} was left out: {lost}"
                else:  # a slow experiment behind a function must not cost the function
                    self._shortened.add(number)
                    sentence = f"Of cell {number} only the definitions were run: {lost}"
                if not self.silent:
                    self.notes.append(sentence)
                return lost
            if note and answer.skipped:
                self.notes.append(f"Cell {number}: skipped {', '.join(answer.skipped)}")
            if note and answer.error and not answer.error.is_stub:
                kind, message = answer.error.kinds[0], answer.error.message
                self.notes.append(f"Cell {number} stopped with {kind}: {message}")
        return None

    def _run_cell(self, student: Student, number: int, source: str, limit: float) -> Asked:
        step = f"definitions of cell {number}" if number in self._shortened else f"cell {number}"
        if step in self.spared:
            raise Died(TOO_LONG)
        student.deadline = time.monotonic() + limit
        self.on_step(step, limit + KILL)
        try:
            with _alarm(limit + GRACE):
                return student.cell(number, source)
        except _TooSlowHere:
            raise Died(TOO_LONG) from None


def grade(
    plan: Plan,
    wanted: list[str],
    submission: Submission,
    sandbox: Sandbox,
    times: Times,
    spared: Collection[str] = (),
    on_step: OnStep = lambda name, seconds: None,
) -> list[Line]:
    """Grades one submission.

    Args:
        plan: The lesson's checks.
        wanted: Ids of the checks to run.
        submission: What was handed in.
        sandbox: Where the student's code runs.
        times: The limits.
        spared: Names of steps that never ended in an earlier try; they are left out.
        on_step: Is told the name of each step and the seconds it may take before it begins.

    Returns:
        Lines for the results: a verdict on each wanted check, then what the submission is.
    """
    attempt = Attempt(
        sandbox, [], times, list(submission.notes), spared=frozenset(spared), on_step=on_step
    )
    unreadable = _read(attempt, submission)
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


def _read(attempt: Attempt, submission: Submission) -> str:
    """Reads the cells. Returns why that is not possible, nothing when it is."""
    message = "Reading the file takes too long."
    limit = attempt.times.cell
    if "reading" not in attempt.spared:
        attempt.on_step("reading", limit + KILL)
        try:
            with _alarm(limit + GRACE):
                attempt.cells = submissions.cells(submission)
            return ""
        except submissions.Unreadable as error:
            message = str(error)
        except _TooSlowHere:
            pass
    attempt.notes.append(message)
    return message


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
        elif check.id in attempt.spared:
            verdict = Verdict(check.id, check.title, check.points, "timeout", TOO_LONG)
        else:
            verdict, called = judge(attempt, exercise, check, f"{plan.seed}/{student}", limit)
            calls += called
        if verdict.status == "timeout":
            limit = attempt.times.check / 5  # what hung once will likely hang in every check
        lines.append(_line(verdict, time.monotonic() - start))
    step = f"advice {exercise.id}"
    if any(line["status"] == "failed" for line in lines) and step not in attempt.spared:
        attempt.on_step(step, ADVICE + KILL)
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
        attempt.silent = attempt.silent or check.hidden
        attempt.on_step(check.id, limit + KILL)
        student.deadline = end = time.monotonic() + limit
        watched = RecordingLearner(Learner(student))
        with _alarm(limit + GRACE):
            verdict = run_check(check, watched, seed, reference.parameters(exercise))
            if verdict.status == "broken":
                verdict = _whose_fault(exercise, check, seed, verdict)
            elif verdict.passed and time.monotonic() > end:
                raise _TooSlowHere  # points are earned inside all limits
    except TimedOut as lost:
        attempt.lose()
        verdict = replace(verdict, status="timeout", message=str(lost))
    except Died as lost:
        attempt.lose()
        verdict = replace(verdict, status="crashed", message=str(lost))
    except _TooSlowHere:
        attempt.lose()
        verdict = replace(verdict, status="timeout", message=TOO_LONG)
    except Exception as fault:
        attempt.lose()
        verdict = replace(verdict, message=f"The grader failed: {fault!r}")
    return verdict, watched.calls if watched else []


def _whose_fault(exercise: Exercise, check: Check, seed: str, verdict: Verdict) -> Verdict:
    """A check that raised is the student's failure if the solution passes it, else the grader's."""
    solution = reference.namespace(exercise)
    if solution and run_check(check, InProcessLearner(solution), seed).passed:
        told = "What came back is not of the form that the docstring promises."
        return replace(verdict, status="failed", message=told)
    return replace(verdict, status="needs review")


def _recognized(exercise: Exercise, calls: list[Call]) -> Line:
    try:
        with _alarm(ADVICE):
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
