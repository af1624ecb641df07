"""Student processes, from the grader's side: started, asked, timed, killed."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ift_course import settings
from ift_course.exercises.learner import LearnerError, LearnerLost
from ift_course.grading import isolation, memory, server, wire

STARTING = 300.0  # seconds that a server may take to load torch on a cold disk


class TimedOut(LearnerLost):
    """The student's code did not answer in time."""


class Died(LearnerLost):
    """The student's process ended, or sent what is no answer."""


class GraderFault(Exception):
    """The grader itself does not work here: nobody's points may depend on it."""


class Sandbox:
    """A server and the one student process it has forked, if there is one. A context manager.

    preload: modules that every student process has from the start. hidden: paths that none may
    read, even inside a readable folder. bubblewrap: None uses it where it works. rungs: to try.
    home: the folder of its own.
    """

    def __init__(
        self,
        preload: Iterable[str] = (),
        hidden: Iterable[Path] = (),
        memory_mb: int = 2048,
        bubblewrap: bool | None = None,
        rungs: tuple[str, ...] = isolation.RUNGS,
    ) -> None:
        self._preload = list(preload)
        self.home = Path(tempfile.mkdtemp(prefix="ift-grading-")).resolve()
        os.chmod(self.home, 0o711)
        readable, listable = isolation.readable_paths(hidden)
        self._bubblewrap = bubblewrap if bubblewrap is not None else bubblewrap_works()
        user = 0 if self._bubblewrap else isolation.student_user()
        self._limits = isolation.Limits(
            str(self.home / "work"), readable, listable, memory_mb, rungs=rungs, user=user
        )
        self._server: subprocess.Popen | None = None
        self._control: socket.socket | None = None
        self._watch: memory.Watch | None = None

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self) -> None:
        """Lets the server load its modules while the caller does something else."""
        if self._server is None:
            self._start()

    def student(self) -> "Student":
        """A fresh student process; the one before is killed, with all that it has started."""
        for attempt in (1, 2):
            try:
                self.kill()
                return self._fork()
            except (OSError, wire.Closed, wire.TooSlow, wire.Malformed) as error:
                self._stop()
                if attempt == 2:
                    told = (self.home / "log").read_text(errors="replace").strip()[-500:]
                    raise GraderFault(f"No student process starts ({error!r}): {told}") from None
        raise AssertionError

    def kill(self) -> None:
        """Ends the student process and all of its descendants, and empties its folder."""
        self.start()
        self._unwatch()
        self._order(server.KILL)
        folder = Path(self._limits.folder)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        if user := self._limits.user:
            os.chown(folder, user, user)

    def _fork(self) -> "Student":
        ours, theirs = socket.socketpair()
        with theirs:
            self._order(server.FORK, theirs.fileno())
        student = Student(ours)
        _, rungs = wire.receive(ours, time.monotonic() + 30)
        student.rungs = (["bubblewrap"] if self._bubblewrap else []) + rungs
        if sys.platform == "linux":
            self._watch = student.watch = memory.Watch(self._server.pid, self._limits.memory_mb)
            self._watch.start()
        return student

    def _unwatch(self) -> None:
        if self._watch:
            self._watch.stop()
        self._watch = None

    def _order(self, order: bytes, *descriptors: int) -> None:
        """Waits until it is done, and before that, once, until the server has loaded all."""
        socket.send_fds(self._control, [order], descriptors)
        if self._control.recv(16) != server.DONE:
            raise wire.Closed

    def _start(self) -> None:
        self._control, theirs = socket.socketpair()  # a stream: macOS has no packets here
        self._control.settimeout(STARTING)
        program = (
            "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1));"
            "from ift_course.grading.server import main; main()"
        )
        known = json.dumps([x for x in sys.path if x]), json.dumps(asdict(self._limits))
        command = [sys.executable, "-c", program, *known, str(theirs.fileno()), *self._preload]
        if self._bubblewrap:
            command = [*_bubblewrap(self._limits, self.home), *command]
        with theirs, open(self.home / "log", "w") as log:
            self._server = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                cwd=self.home,
                env=_environment(self._limits.folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )

    def _stop(self) -> None:
        self._unwatch()
        if self._server is None:
            return
        self._control.close()
        try:
            self._server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None


@dataclass
class Asked:
    """What a student process answered to one cell: lines it skipped, or the error it ended with."""

    skipped: list[str]
    error: LearnerError | None = None


class Student:
    """One student process.

    deadline: of the next answers, in seconds of `time.monotonic`.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.rungs: list[str] = []
        self.watch: memory.Watch | None = None
        self.arguments: tuple = ()
        self.deadline = float("inf")

    def close(self) -> None:
        self._connection.close()

    def cell(self, number: int, source: str) -> Asked:
        """Runs a code cell. Raises LearnerLost."""
        try:
            [skipped] = self._ask("done", 1, "cell", number, source)
        except LearnerError as error:
            return Asked([], error)
        if type(skipped) is not list or not all(type(x) is str for x in skipped):
            raise Died("The student's process sent what is no answer.")
        return Asked([x[:200] for x in skipped[:20]])

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """The plain value that the student's function returns. Raises LearnerError, LearnerLost."""
        value, arguments = self._ask("value", 2, "call", name, args, kwargs)
        if type(arguments) is not tuple or len(arguments) != len(args):
            raise Died("The student's process sent what is no answer.")
        self.arguments = arguments
        return value

    def _ask(self, expected: str, size: int, *request: Any) -> list[Any]:
        try:
            wire.send(self._connection, request, self.deadline)
            reply = wire.receive(self._connection, self.deadline)
        except wire.TooSlow:
            raise TimedOut("The code did not finish in time.") from None
        except wire.Closed:
            if self.watch and self.watch.exceeded:
                raise Died("The code took more memory than it was given.") from None
            raise Died("The code ended its own process.") from None
        except wire.Malformed as error:
            raise Died(f"The process sent what is no answer: {error}.") from None
        if type(reply) is tuple and len(reply) == 5 and reply[0] == "raised":
            _, kinds, message, line, number = reply
            texts = type(kinds) is tuple and kinds and all(type(x) is str for x in kinds)
            if texts and type(message) is type(line) is str and type(number) is int:
                raise LearnerError(tuple(x[:100] for x in kinds[:20]), message, line[:200], number)
        if type(reply) is tuple and len(reply) == 1 + size and reply[0] == expected:
            return list(reply[1:])
        raise Died("The process sent what is no answer.")


class Learner:
    """What a check gets as `learner`: the student's functions, and their arguments afterwards."""

    def __init__(self, student: Student) -> None:
        self._student = student

    @property
    def arguments(self) -> tuple:
        return self._student.arguments

    def __getattr__(self, name: str) -> Any:
        return partial(self._student.call, name)


def _environment(folder: str) -> dict[str, str]:
    keep = {key: os.environ[key] for key in ("SYSTEMROOT", "LD_LIBRARY_PATH") if key in os.environ}
    return keep | {
        "PATH": "/usr/bin:/bin",
        "HOME": folder,
        "TMPDIR": folder,
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        settings.CHECKING: "1",
        "HF_HUB_OFFLINE": "1",
        "MPLBACKEND": "agg",
        **{f"{x}_NUM_THREADS": "1" for x in ("OMP", "MKL", "OPENBLAS")},
    }


def _bubblewrap(limits: isolation.Limits, home: Path) -> list[str]:
    paths = [x for x in limits.readable if not x.startswith(("/proc", "/dev"))]
    binds = [part for path in paths for part in ("--ro-bind-try", path, path)]
    # Where /lib is a link to /usr/lib, the programs still ask for /lib.
    links = [x for x in ("/lib", "/lib64") if os.path.islink(x)]
    binds += [part for link in links for part in ("--symlink", os.readlink(link), link)]
    return [shutil.which("bwrap"), "--unshare-all", "--die-with-parent", "--new-session", *binds,
            "--dev", "/dev", "--proc", "/proc", "--bind", str(home), str(home), "--"]  # fmt: skip


def bubblewrap_works() -> bool:
    """Whether `bwrap` is installed and allowed to do its work here."""
    if shutil.which("bwrap") is None:
        return False
    probe = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", sys.executable,
             "-c", ""]  # fmt: skip
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0
