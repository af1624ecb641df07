"""Several trusted processes that grade, each with a sandbox of its own.

Jobs and answers cross as JSON. A grading process announces each step with the time it may take. If
a step does not end in time, the process is killed and the submission is graded again without that
step, which then scores nothing. A process that dies otherwise takes one submission's grade with it:
that one needs review, and the others go on.
"""

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
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path

from ift_course.grading import attempt, isolation, server
from ift_course.grading.attempt import Times
from ift_course.grading.plan import Plan
from ift_course.grading.results import Line
from ift_course.grading.sandbox import STARTING, Sandbox
from ift_course.grading.submissions import Submission

ENDING = 20.0  # seconds; the sandbox has ten of them to end its server
MOST_SPARED = 4  # steps of one submission that may hang before a person has to look

Job = tuple[Submission, list[str]]  # and the ids of the checks that are wanted


@dataclass(frozen=True)
class Setting:
    """What every grading process needs to know. See `Sandbox` and `Plan`."""

    plan: Plan
    times: Times = field(default_factory=Times)
    preload: tuple[str, ...] = ()
    hidden: tuple[Path, ...] = ()
    memory_mb: int = 2048
    rungs: tuple[str, ...] = isolation.RUNGS
    bubblewrap: bool | None = None


def grade_all(
    jobs: Iterable[Job], setting: Setting, processes: int, total: int = 0
) -> Iterator[list[Line]]:
    """Grades submissions, the next one taken from `jobs` only when a process is free for it.

    Args:
        jobs: What to grade.
        setting: What all of them have in common.
        processes: The most grading processes; fewer are started where more would not save time.
        total: How many jobs there are, if that is known.

    Yields:
        The lines of each submission, in the order in which they are done.
    """
    crew, waiting = _Crew(setting, processes, total), iter(jobs)
    try:
        while crew.hand_out(waiting):
            yield from crew.answers()
    finally:
        crew.end()


@dataclass(frozen=True)
class _Task:
    """A job, and the steps of it that never ended."""

    submission: Submission
    wanted: list[str]
    spared: tuple[str, ...] = ()


class _Crew:
    """The grading processes, and what is known of how long they take."""

    def __init__(self, setting: Setting, most: int, total: int) -> None:
        self._setting, self._most, self._left = setting, most, total
        self._workers: list[_Worker] = []
        self._queue: list[_Task] = []
        self._starting = 0.0  # seconds that the first process took to be ready
        self._graded: list[float] = []  # seconds for each submission

    def hand_out(self, waiting: Iterator[Job]) -> bool:
        """Gives every free process a task. Returns whether there is anything to wait for."""
        if not self._workers:
            self._queue += filter(None, [self._take(waiting)])
            if self._queue:
                self._workers.append(_Worker(self._setting))
            return bool(self._queue)
        for worker in self._workers:
            if worker.ready and not worker.task:
                task = self._take(waiting)
                if task is None:
                    return any(x.task for x in self._workers)
                worker.give(task)
        if self._worth_another():
            self._workers.append(_Worker(self._setting))
        return True

    def _take(self, waiting: Iterator[Job]) -> _Task | None:
        """The next task; a job is taken only when a process is there for it."""
        if self._queue:
            return self._queue.pop(0)
        job = next(waiting, None)
        self._left -= 1
        return _Task(*job) if job else None

    def _worth_another(self) -> bool:
        """Whether one more process saves twice the time that it takes to start.

        A process loads torch twice, for itself and for its sandbox, on the cores that the others
        grade on: two from the start took longer than one for a class of 30 on two cores.
        """
        count = len(self._workers)
        if count >= self._most or not self._graded or not all(x.ready for x in self._workers):
            return False
        left = self._left * sum(self._graded) / len(self._graded)
        return left / count - left / (count + 1) > 2 * self._starting

    def answers(self) -> Iterator[list[Line]]:
        """Waits for the processes, and yields the lines of what they have done."""
        patience = min(x.until for x in self._workers) - time.monotonic()
        ready = wait([x.connection for x in self._workers], max(0.0, patience))
        for worker in list(self._workers):
            if worker.connection in ready:
                yield from self._hear(worker)
            elif not ready and time.monotonic() > worker.until:
                yield from self._lose(worker, hung=True)

    def _hear(self, worker: "_Worker") -> Iterator[list[Line]]:
        try:
            message = json.loads(worker.connection.recv_bytes())
        except (EOFError, OSError):
            yield from self._lose(worker, hung=False)
            return
        if "step" in message:
            worker.step, worker.until = message["step"], message["until"]
        elif "home" in message:
            worker.ready, worker.home, worker.until = True, message["home"], math.inf
            self._starting = self._starting or time.monotonic() - worker.since
        else:
            self._graded.append(time.monotonic() - worker.since)
            worker.task, worker.until = None, math.inf
            yield message["lines"]

    def _lose(self, worker: "_Worker", hung: bool) -> Iterator[list[Line]]:
        """A process is gone, or has to go. Its task is tried again if one step is to blame."""
        self._workers.remove(worker)
        worker.kill()
        task = worker.task or (self._queue.pop(0) if self._queue else None)
        if task is None:
            return
        if hung and worker.step and len(task.spared) < MOST_SPARED:
            self._queue.insert(0, replace(task, spared=(*task.spared, worker.step)))
        else:
            yield _lost(self._setting.plan, task.submission, task.wanted)

    def end(self) -> None:
        """Ends all processes, at once where they are at work."""
        for worker in self._workers:
            if worker.task or not worker.ready:
                worker.process.terminate()
            worker.end()


class _Worker:
    """A grading process, from the side of the process that writes the results.

    ready: whether it has loaded everything. task: what it is grading. step, until: what it is doing
    and the time by which it has done it. since: when it began with that task, or to start.
    """

    def __init__(self, setting: Setting) -> None:
        ours, theirs = socket.socketpair()
        program = (
            "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1));"
            "from ift_course.grading.pool import main; main()"
        )
        known = json.dumps([x for x in sys.path if x]), json.dumps(asdict(setting), default=str)
        # With a hash of strings that student code could know, it could make them collide.
        inherited = {key: x for key, x in os.environ.items() if key != "PYTHONHASHSEED"}
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program, *known, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={"OMP_NUM_THREADS": "1"} | inherited,
            )
        self.connection = Connection(ours.detach())
        self.ready, self.home, self.step = False, "", ""
        self.task: _Task | None = None
        self.since = time.monotonic()
        self.until = self.since + STARTING

    def give(self, task: _Task) -> None:
        self.task, self.step = task, ""
        self.since = time.monotonic()
        self.until = self.since + STARTING
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
    """A grading process: answers jobs until the connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that writes
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    isolation.quiet_server()
    setting, connection = _unpacked(sys.argv[1]), Connection(int(sys.argv[2]))
    with Sandbox(
        setting.preload, setting.hidden, setting.memory_mb, setting.bubblewrap, setting.rungs
    ) as sandbox:
        sandbox.start()
        server.load(list(setting.preload))  # no student's time limit pays for torch in this process
        with contextlib.suppress(Exception):  # what is wrong will be said of each submission
            sandbox.kill()  # returns when the server, too, has loaded everything
        _tell(connection, {"home": str(sandbox.home)})
        while job := _received(connection):
            wanted, spared = job.pop("wanted"), job.pop("spared")
            submission = Submission(**job | {"data": b64decode(job["data"])})

            def on_step(name: str, seconds: float) -> None:
                _tell(connection, {"step": name, "until": time.monotonic() + seconds})

            lines = attempt.grade(
                setting.plan, wanted, submission, sandbox, setting.times, spared, on_step
            )
            _tell(connection, {"lines": lines})


def _tell(connection: Connection, message: dict) -> None:
    with contextlib.suppress(OSError):  # the process that asked was killed
        connection.send_bytes(json.dumps(message).encode())


def _received(connection: Connection) -> dict | None:
    try:
        return json.loads(connection.recv_bytes())
    except (EOFError, OSError):
        return None


def _unpacked(text: str) -> Setting:
    told = json.loads(text)
    plan = told.pop("plan")
    paths = {name: Path(plan[name]) if plan[name] else None for name in ("hidden", "folder")}
    hidden = [Path(x) for x in told.pop("hidden")]
    times = Times(**told.pop("times"))
    return Setting(Plan(**plan | paths), times, hidden=tuple(hidden), **told)


def _packed(task: _Task) -> bytes:
    data = b64encode(task.submission.data).decode()
    message = asdict(task.submission) | {"data": data, "wanted": task.wanted}
    return json.dumps(message | {"spared": task.spared}).encode()


def _lost(plan: Plan, submission: Submission, wanted: list[str]) -> list[Line]:
    """A grading process that died while it had this submission: a person has to look."""
    told = asdict(submission)
    told.pop("data")
    note = "The grading process ended on this submission."
    about = told | {"kind": "submission", "sha": submission.sha, "rungs": [], "notes": [note]}
    verdicts = [
        {"kind": "verdict", "student": submission.student, "check": check.id,
         "status": "needs review", "message": note, "points": check.points, "title": check.title,
         "seconds": 0,
         "key": plan.key(exercise, submission.sha, submission.student)}
        for exercise, check in plan.checks if check.id in wanted
    ]  # fmt: skip
    return [*verdicts, about]
