"""Several trusted processes that grade, each with a sandbox of its own.

Jobs and answers cross as JSON. A grading process that dies takes one submission's grade with it:
that one needs review, and the others go on.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

from ift_course.grading import attempt, isolation, server
from ift_course.grading.attempt import Times
from ift_course.grading.plan import Plan
from ift_course.grading.results import Line
from ift_course.grading.sandbox import Sandbox
from ift_course.grading.submissions import Submission

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


def grade_all(jobs: Iterable[Job], setting: Setting, processes: int) -> Iterator[list[Line]]:
    """The lines of each submission, in the order in which they are done."""
    waiting, busy = iter(jobs), {}
    idle = [_Worker(setting) for _ in range(processes)]
    try:
        while True:
            while idle and (job := next(waiting, None)):
                worker = idle.pop()
                worker.give(job)
                busy[worker.connection] = worker, job
            if not busy:
                return
            for ready in wait(list(busy)):
                worker, job = busy.pop(ready)
                try:
                    lines = json.loads(ready.recv_bytes())
                except (EOFError, OSError):
                    worker.end()
                    worker, lines = _Worker(setting), _lost(setting.plan, *job)
                idle.append(worker)
                yield lines
    finally:
        for worker in idle:
            worker.end()
        for worker, _ in busy.values():
            worker.process.terminate()
            worker.end()


class _Worker:
    """A grading process, from the side of the process that writes the results."""

    def __init__(self, setting: Setting) -> None:
        ours, theirs = socket.socketpair()
        program = (
            "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1));"
            "from ift_course.grading.pool import main; main()"
        )
        known = json.dumps([x for x in sys.path if x]), json.dumps(asdict(setting), default=str)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program, *known, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={"OMP_NUM_THREADS": "1"} | dict(os.environ),
            )
        self.connection = Connection(ours.detach())

    def give(self, job: Job) -> None:
        with contextlib.suppress(OSError):  # a process that is gone is noticed when it is read from
            self.connection.send_bytes(_packed(*job))

    def end(self) -> None:
        """The process finishes what it has and ends."""
        self.connection.close()
        self.process.wait()


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
        while job := _received(connection):
            wanted = job.pop("wanted")
            submission = Submission(**job | {"data": b64decode(job["data"])})
            lines = attempt.grade(setting.plan, wanted, submission, sandbox, setting.times)
            with contextlib.suppress(OSError):  # the process that asked was killed
                connection.send_bytes(json.dumps(lines).encode())


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


def _packed(submission: Submission, wanted: list[str]) -> bytes:
    told = asdict(submission) | {"data": b64encode(submission.data).decode(), "wanted": wanted}
    return json.dumps(told).encode()


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
