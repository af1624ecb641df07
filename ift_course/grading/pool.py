"""Several trusted processes that grade, each with a sandbox of its own.

Jobs and answers cross as JSON. A grading process that dies takes one submission's grade with it:
that one needs review, and the others go on.
"""

import json
import multiprocessing
import os
import signal
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

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
    setting = replace(setting, plan=replace(setting.plan))  # without the checks, which stay here
    waiting, busy, idle = iter(jobs), {}, []
    for _ in range(processes):
        idle.append(_start(setting))
    try:
        while True:
            while idle and (job := next(waiting, None)):
                worker = idle.pop()
                worker.connection.send_bytes(_packed(*job))
                busy[worker.connection] = worker, job
            if not busy:
                return
            for ready in wait(list(busy)):
                worker, job = busy.pop(ready)
                try:
                    lines = json.loads(ready.recv_bytes())
                    idle.append(worker)
                except (EOFError, OSError):
                    worker.process.join()
                    lines = _lost(setting.plan, *job)
                    idle.append(_start(setting))
                yield lines
    finally:
        for worker in [*idle, *(worker for worker, _ in busy.values())]:
            worker.connection.close()
        for worker in idle:
            worker.process.join()


@dataclass(frozen=True)
class _Worker:
    process: Any
    connection: Connection


def _start(setting: Setting) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, setting), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _work(connection: Connection, setting: Setting) -> None:
    """A grading process: answers jobs until the connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that writes
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    isolation.quiet_server()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with Sandbox(
        setting.preload, setting.hidden, setting.memory_mb, setting.bubblewrap, setting.rungs
    ) as sandbox:
        sandbox.start()
        server.load(list(setting.preload))  # no student's time limit pays for torch in this process
        while True:
            try:
                job = json.loads(connection.recv_bytes())
            except (EOFError, OSError, KeyboardInterrupt):
                return
            wanted = job.pop("wanted")
            submission = Submission(**job | {"data": b64decode(job["data"])})
            lines = attempt.grade(setting.plan, wanted, submission, sandbox, setting.times)
            connection.send_bytes(json.dumps(lines).encode())


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
