"""Several trusted processes that grade, each with a sandbox of its own.

Jobs and answers cross as JSON. A grading process announces each step with the time it may take. If
a step does not end in time, the process is killed and the submission is graded again without that
step, which then scores nothing. A process that dies otherwise takes one submission's grade with it:
that one needs review, and the others go on.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.grading import isolation
from ift_course.grading.attempt import TimeLimits, grade_submission
from ift_course.grading.layers import LAYERS
from ift_course.grading.plan import GradingPlan
from ift_course.grading.preload import import_modules
from ift_course.grading.sandbox import STARTING, Sandbox
from ift_course.grading.submissions.submission import Submission

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from ift_course.grading.results import SubmissionLine, VerdictLine

    Job = tuple[Submission, list[str]]  # and the ids of the checks to run
    Graded = tuple[list[VerdictLine], SubmissionLine]

ENDING = 20.0  # seconds; the sandbox has ten of them to end its server
MOST_HANGS = 4  # steps of one submission that may hang before a person has to look


@dataclass(frozen=True)
class GradingConfig:
    """What every grading process needs to know. See `Sandbox` and `GradingPlan`."""

    plan: GradingPlan
    limits: TimeLimits = field(default_factory=TimeLimits)
    preload: tuple[str, ...] = ()
    hidden: tuple[Path, ...] = ()
    memory_mb: int = 2048
    layers: tuple[str, ...] = LAYERS
    bubblewrap: bool | None = None


def grade_all(
    jobs: Iterable[Job], config: GradingConfig, processes: int, total: int = 0
) -> Generator[Graded, None, None]:
    """Grades submissions, the next one taken from `jobs` only when a process is free for it.

    Args:
        jobs: What to grade.
        config: What all of them have in common.
        processes: The most grading processes; fewer are started where more would not save time.
        total: How many jobs there are, if that is known.

    Yields:
        The lines of each submission, in the order in which they are done.
    """
    scheduler, waiting = _Scheduler(config, processes, total), iter(jobs)
    try:
        while scheduler.hand_out(waiting):
            yield from scheduler.results()
    finally:
        scheduler.end()


@dataclass(frozen=True)
class _Task:
    """A job, and the steps of it that never ended."""

    submission: Submission
    check_ids: list[str]
    skipped_steps: tuple[str, ...] = ()


class _Scheduler:
    """The grading processes, and what is known of how long they take."""

    def __init__(self, config: GradingConfig, most: int, total: int) -> None:
        self._config, self._most, self._left = config, most, total
        self._processes: list[_GradingProcess] = []
        self._queue: list[_Task] = []
        self._startup_seconds = 0.0  # that the first process took to be ready
        self._durations: list[float] = []  # seconds for each submission

    def hand_out(self, waiting: Iterator[Job]) -> bool:
        """Gives every free process a task. Returns whether there is anything to wait for."""
        if not self._processes:
            self._queue += filter(None, [self._take(waiting)])
            if self._queue:
                self._processes.append(_GradingProcess(self._config))
            return bool(self._queue)
        for process in self._processes:
            if process.ready and not process.task:
                task = self._take(waiting)
                if task is None:
                    return any(x.task for x in self._processes)
                process.give(task)
        if self._saves_time_with_another():
            self._processes.append(_GradingProcess(self._config))
        return True

    def _take(self, waiting: Iterator[Job]) -> _Task | None:
        """The next task; a job is taken only when a process is there for it."""
        if self._queue:
            return self._queue.pop(0)
        job = next(waiting, None)
        self._left -= 1
        return _Task(*job) if job else None

    def _saves_time_with_another(self) -> bool:
        """Whether one more process saves twice the time that it takes to start.

        A process loads torch twice, for itself and for its sandbox, on the cores that the others
        grade on: two from the start took longer than one for a class of 30 on two cores.
        """
        count = len(self._processes)
        if count >= self._most or not self._durations or not all(x.ready for x in self._processes):
            return False
        left = self._left * sum(self._durations) / len(self._durations)
        return left / count - left / (count + 1) > 2 * self._startup_seconds

    def results(self) -> Iterator[Graded]:
        """Waits for the processes, and yields the lines of the submissions that they finished."""
        seconds = min(x.deadline for x in self._processes) - time.monotonic()
        ready = wait([x.connection for x in self._processes], max(0.0, seconds))
        for process in list(self._processes):
            if process.connection in ready:
                yield from self._receive(process)
            elif not ready and time.monotonic() > process.deadline:
                yield from self._lose(process, hung=True)

    def _receive(self, process: _GradingProcess) -> Iterator[Graded]:
        try:
            message = json.loads(process.connection.recv_bytes())
        except (EOFError, OSError):
            yield from self._lose(process, hung=False)
            return
        if "step" in message:
            process.step, process.deadline = message["step"], message["deadline"]
        elif "home" in message:
            process.ready, process.home, process.deadline = True, message["home"], math.inf
            self._startup_seconds = self._startup_seconds or time.monotonic() - process.since
        else:
            self._durations.append(time.monotonic() - process.since)
            process.task, process.deadline = None, math.inf
            yield message["verdicts"], message["submission"]

    def _lose(self, process: _GradingProcess, hung: bool) -> Iterator[Graded]:
        """Gives up a process. Its task is tried again if one step is to blame."""
        self._processes.remove(process)
        process.kill()
        task = process.task or (self._queue.pop(0) if self._queue else None)
        if task is None:
            return
        if hung and process.step and len(task.skipped_steps) < MOST_HANGS:
            skipped_steps = (*task.skipped_steps, process.step)
            self._queue.insert(0, replace(task, skipped_steps=skipped_steps))
        else:
            yield _needs_review(self._config.plan, task)

    def end(self) -> None:
        """Ends all processes, at once where they are at work."""
        for process in self._processes:
            if process.task or not process.ready:
                process.process.terminate()
            process.end()


class _GradingProcess:
    """A grading process, from the side of the process that writes the results.

    Attributes:
        process: The process itself.
        connection: To the process.
        ready: Whether it has loaded everything.
        home: The folder of its sandbox; empty before it is ready.
        task: What it is grading.
        step: What it is doing.
        deadline: The time by which the step ends, of `time.monotonic`.
        since: The time at which it began with the task, or to start.
    """

    def __init__(self, config: GradingConfig) -> None:
        ours, theirs = socket.socketpair()
        program = (
            "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1));"
            "from ift_course.grading.pool import main; main()"
        )
        settings = json.dumps([x for x in sys.path if x]), json.dumps(asdict(config), default=str)
        # With a hash of strings that student code could know, it could make them collide.
        inherited = {key: x for key, x in os.environ.items() if key != "PYTHONHASHSEED"}
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program, *settings, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={"OMP_NUM_THREADS": "1"} | inherited,
            )
        self.connection = Connection(ours.detach())
        self.ready, self.home, self.step = False, "", ""
        self.task: _Task | None = None
        self.since = time.monotonic()
        self.deadline = self.since + STARTING

    def give(self, task: _Task) -> None:
        """Sends a task to the process."""
        self.task, self.step = task, ""
        self.since = time.monotonic()
        self.deadline = self.since + STARTING
        with contextlib.suppress(OSError):  # a process that is gone is noticed when it is read from
            self.connection.send_bytes(_packed(task))

    def end(self) -> None:
        """The process finishes what it has and ends; one that hangs is killed."""
        self.connection.close()
        try:
            self.process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self) -> None:
        """Ends the process whatever it does; its sandbox ends by itself."""
        self.process.kill()
        self.end()
        if self.home:
            shutil.rmtree(self.home, ignore_errors=True)


def main() -> None:
    """A grading process: grades one task after another until the connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that writes
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    isolation.harden_server()
    config, connection = _unpacked_config(sys.argv[1]), Connection(int(sys.argv[2]))
    with Sandbox(
        config.preload, config.hidden, config.memory_mb, config.bubblewrap, config.layers
    ) as sandbox:
        sandbox.start()
        import_modules(config.preload)  # no student's time limit pays for torch in this process
        with contextlib.suppress(Exception):  # a fault will be reported with each submission
            sandbox.kill_worker()  # returns when the server, too, has loaded everything
        _send(connection, {"home": str(sandbox.home)})

        def on_step(name: str, seconds: float) -> None:
            _send(connection, {"step": name, "deadline": time.monotonic() + seconds})

        while message := _received(connection):
            task = _unpacked(message)
            verdicts, submission = grade_submission(
                config.plan,
                task.check_ids,
                task.submission,
                sandbox,
                config.limits,
                task.skipped_steps,
                on_step,
            )
            _send(connection, {"verdicts": verdicts, "submission": submission})


def _send(connection: Connection, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # the process that asked was killed
        connection.send_bytes(json.dumps(message).encode())


def _received(connection: Connection) -> dict[str, Any] | None:
    try:
        return json.loads(connection.recv_bytes())
    except (EOFError, OSError):
        return None


def _unpacked_config(text: str) -> GradingConfig:
    fields = json.loads(text)
    plan = fields.pop("plan")
    paths = {name: Path(plan[name]) if plan[name] else None for name in ("hidden", "folder")}
    hidden = tuple(Path(x) for x in fields.pop("hidden"))
    limits = TimeLimits(**fields.pop("limits"))
    return GradingConfig(GradingPlan(**plan | paths), limits, hidden=hidden, **fields)


def _packed(task: _Task) -> bytes:
    data = b64encode(task.submission.data).decode()
    return json.dumps(
        asdict(task) | {"submission": asdict(task.submission) | {"data": data}}
    ).encode()


def _unpacked(message: dict[str, Any]) -> _Task:
    fields = message.pop("submission")
    submission = Submission(**fields | {"data": b64decode(fields["data"])})
    return _Task(submission, **message)


def _needs_review(plan: GradingPlan, task: _Task) -> Graded:
    """The lines of a submission on which a grading process died: a person has to look."""
    submission, note = task.submission, "The grading process ended on this submission."
    verdicts: list[VerdictLine] = [
        {"kind": "verdict", "student": submission.student, "check": check.id,
         "status": "needs review", "message": note, "points": check.points, "title": check.title,
         "seconds": 0, "key": plan.key(exercise, submission.sha, submission.student)}
        for exercise, check in plan.checks if check.id in task.check_ids
    ]  # fmt: skip
    line: SubmissionLine = {
        "kind": "submission", "student": submission.student, "name": submission.name,
        "source": submission.source, "sha": submission.sha, "late": submission.late,
        "submitted": submission.submitted, "notes": [note], "rungs": [],
        "problem": submission.problem, "flags": list(submission.flags),
        "members": list(submission.members),
    }  # fmt: skip
    return verdicts, line
