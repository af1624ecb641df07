"""Student processes, from the grader's side: started, asked, timed, killed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course import settings
from ift_course.exercises.learner import LearnerError, LearnerLost
from ift_course.grading import isolation, server, wire
from ift_course.grading.layers import LAYERS
from ift_course.grading.limits import SandboxLimits
from ift_course.grading.memory_watch import MemoryWatch

if TYPE_CHECKING:
    from collections.abc import Iterable

STARTING = 300.0  # seconds that a server may take to load torch on a cold disk
BAD_REPLY = "The process sent an invalid reply"


class TimedOut(LearnerLost):
    """The student's code did not answer in time."""


class Died(LearnerLost):
    """The student's process ended, or sent an invalid reply."""


class GraderFault(Exception):
    """The grader itself does not work here: nobody's points may depend on it."""


@dataclass(frozen=True)
class _Server:
    """A running server, and the socket for orders to it."""

    process: subprocess.Popen[bytes]
    control: socket.socket


class Sandbox:
    """A server and the one student process it has forked, if there is one. A context manager.

    Attributes:
        home: The sandbox's own folder.
    """

    def __init__(
        self,
        preload: Iterable[str] = (),
        hidden: Iterable[Path] = (),
        memory_mb: int = 2048,
        bubblewrap: bool | None = None,
        layers: tuple[str, ...] = LAYERS,
    ) -> None:
        """Makes the folder; the server starts with the first worker, or with `start`.

        Args:
            preload: Modules that every student process has from the start.
            hidden: Paths that no student process may read, even inside a readable folder.
            memory_mb: Memory for a student's code.
            bubblewrap: Whether the server runs inside bubblewrap; None if that works here.
            layers: The layers to try.
        """
        self._preload = list(preload)
        self.home = Path(tempfile.mkdtemp(prefix="ift-grading-")).resolve()
        os.chmod(self.home, 0o711)
        readable, listable = isolation.readable_paths(hidden)
        self._bubblewrap = bubblewrap if bubblewrap is not None else bubblewrap_works()
        user = 0 if self._bubblewrap else isolation.student_user()
        self._limits = SandboxLimits(
            str(self.home / "work"), readable, listable, memory_mb, layers=layers, user=user
        )
        self._server: _Server | None = None
        self._watch: MemoryWatch | None = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self) -> None:
        """Lets the server load its modules while the caller does something else."""
        self._running_server()

    def new_worker(self) -> Worker:
        """A fresh student process; the one before is killed, with all that it has started.

        Raises:
            GraderFault: No student process starts on this machine.
        """
        try:
            return self._restarted_worker()
        except (OSError, wire.Closed, wire.TooSlow, wire.Malformed):
            self._stop()  # a server may have been killed from outside: one more may work
        try:
            return self._restarted_worker()
        except (OSError, wire.Closed, wire.TooSlow, wire.Malformed) as error:
            self._stop()
            log = (self.home / "log").read_text(errors="replace").strip()[-500:]
            raise GraderFault(f"No student process starts ({error!r}): {log}") from None

    def _restarted_worker(self) -> Worker:
        self.kill_worker()
        return self._fork(self._running_server())

    def kill_worker(self) -> None:
        """Ends the student process and all of its descendants, and empties its folder."""
        running = self._running_server()
        self._unwatch()
        _order(running, server.KILL)
        folder = Path(self._limits.folder)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        if user := self._limits.user:
            os.chown(folder, user, user)

    def _fork(self, running: _Server) -> Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            _order(running, server.FORK, theirs.fileno())
        _, active = wire.receive(ours, time.monotonic() + 30)
        layers = (["bubblewrap"] if self._bubblewrap else []) + active
        if sys.platform == "linux":
            self._watch = MemoryWatch(running.process.pid, self._limits.memory_mb)
            self._watch.start()
        return Worker(ours, layers, self._watch)

    def _unwatch(self) -> None:
        if self._watch:
            self._watch.stop()
        self._watch = None

    def _running_server(self) -> _Server:
        if self._server is None:
            self._server = self._started_server()
        return self._server

    def _started_server(self) -> _Server:
        ours, theirs = socket.socketpair()  # a stream: macOS has no packets here
        ours.settimeout(STARTING)
        program = (
            "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1));"
            "from ift_course.grading.server import main; main()"
        )
        settings = json.dumps([x for x in sys.path if x]), json.dumps(asdict(self._limits))
        command = [sys.executable, "-c", program, *settings, str(theirs.fileno()), *self._preload]
        if self._bubblewrap:
            command = [*_bubblewrap(self._limits, self.home), *command]
        with theirs, open(self.home / "log", "w") as log:
            process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                cwd=self.home,
                env=_environment(self._limits.folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        return _Server(process, ours)

    def _stop(self) -> None:
        self._unwatch()
        if self._server is None:
            return
        self._server.control.close()
        process = self._server.process
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._server = None


def _order(running: _Server, order: bytes, *descriptors: int) -> None:
    """Waits until the order is carried out, and before the first, until all modules are loaded."""
    socket.send_fds(running.control, [order], descriptors)
    if running.control.recv(16) != server.DONE:
        raise wire.Closed


@dataclass
class CellResult:
    """What a student process answered to one cell.

    Attributes:
        skipped: Magics and shell lines that were not run.
        error: The exception that ended the cell, if one did.
    """

    skipped: list[str]
    error: LearnerError | None = None


class Worker:
    """One student process.

    Attributes:
        layers: The layers that confine it.
        arguments: Those of the last call, as the function left them.
        deadline: For the next replies, in seconds of `time.monotonic`.
    """

    def __init__(
        self, connection: socket.socket, layers: list[str], watch: MemoryWatch | None
    ) -> None:
        self._connection = connection
        self._watch = watch
        self.layers = layers
        self.arguments: tuple[Any, ...] = ()
        self.deadline = float("inf")

    def close(self) -> None:
        """Closes the connection; the process ends when it notices."""
        self._connection.close()

    def run_cell(self, number: int, source: str) -> CellResult:
        """Runs a code cell.

        Args:
            number: Of the cell, for messages.
            source: Its code.

        Raises:
            LearnerLost: There is no answer in time, or no valid one.
        """
        try:
            [skipped] = self._ask("done", 1, "cell", number, source)
        except LearnerError as error:
            return CellResult([], error)
        if type(skipped) is not list or not all(type(x) is str for x in skipped):
            raise Died(f"{BAD_REPLY}.")
        return CellResult([x[:200] for x in skipped[:20]])

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Calls the student's function.

        Args:
            name: Of the function.
            *args: Plain values.
            **kwargs: Plain values.

        Returns:
            A plain value.

        Raises:
            LearnerError: The function raised, is missing, or returned something that is not plain.
            LearnerLost: There is no answer in time, or no valid one.
        """
        value, arguments = self._ask("value", 2, "call", name, args, kwargs)
        if type(arguments) is not tuple or len(arguments) != len(args):
            raise Died(f"{BAD_REPLY}.")
        self.arguments = arguments
        return value

    def _ask(self, expected: str, size: int, *request: Any) -> list[Any]:
        """Sends a request, and returns the `size` values that follow `expected` in the reply."""
        try:
            wire.send(self._connection, request, self.deadline)
            reply = wire.receive(self._connection, self.deadline)
        except wire.TooSlow:
            raise TimedOut("The code did not finish in time.") from None
        except wire.Closed:
            if self._watch and self._watch.exceeded:
                raise Died("The code took more memory than it was given.") from None
            raise Died("The code ended its own process.") from None
        except wire.Malformed as error:
            raise Died(f"{BAD_REPLY}: {error}.") from None
        if type(reply) is tuple and len(reply) == 5 and reply[0] == "raised":
            _, kinds, message, line, number = reply
            texts = type(kinds) is tuple and kinds and all(type(x) is str for x in kinds)
            if texts and type(message) is type(line) is str and type(number) is int:
                raise LearnerError(tuple(x[:100] for x in kinds[:20]), message, line[:200], number)
        if type(reply) is tuple and len(reply) == 1 + size and reply[0] == expected:
            return list(reply[1:])
        raise Died(f"{BAD_REPLY}.")


class RemoteLearner:
    """What a check gets as `learner`: the student's functions, and their arguments afterwards."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The arguments of the last call, as the function left them."""
        return self._worker.arguments

    def __getattr__(self, name: str) -> Any:
        return partial(self._worker.call, name)


def _environment(folder: str) -> dict[str, str]:
    """The environment variables of the server: of the caller's, only what Python needs to start."""
    names = ("SYSTEMROOT", "LD_LIBRARY_PATH")
    inherited = {name: os.environ[name] for name in names if name in os.environ}
    return inherited | {
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


def _bubblewrap(limits: SandboxLimits, home: Path) -> list[str]:
    """The command before the server's own that runs it inside bubblewrap."""
    paths = [x for x in limits.readable if not x.startswith(("/proc", "/dev"))]
    binds = [part for path in paths for part in ("--ro-bind-try", path, path)]
    # Where /lib is a link to /usr/lib, the programs still ask for /lib.
    links = [x for x in ("/lib", "/lib64") if os.path.islink(x)]
    binds += [part for link in links for part in ("--symlink", os.readlink(link), link)]
    program = shutil.which("bwrap") or "bwrap"
    return [program, "--unshare-all", "--die-with-parent", "--new-session", *binds, "--dev",
            "/dev", "--proc", "/proc", "--bind", str(home), str(home), "--"]  # fmt: skip


def bubblewrap_works() -> bool:
    """Whether `bwrap` is installed and allowed to do its work here."""
    if shutil.which("bwrap") is None:
        return False
    probe = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", sys.executable,
             "-c", ""]  # fmt: skip
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0
