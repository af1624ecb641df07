"""The process that student processes are forked from: Python and torch loaded, and no check.

It is trusted, and knows nothing worth stealing. Its parent, the grading process, sends it `fork`
with one end of a connection, and `kill`. When the grading process is gone, the server kills what it
has forked and ends.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import signal
import socket
import sys
import time
import traceback

from ift_course.grading import isolation, worker
from ift_course.grading.limits import SandboxLimits
from ift_course.grading.preload import import_modules

FORK, KILL, DONE = b"fork", b"kill", b"done"


def main() -> None:
    """Obeys orders until the grading process is gone.

    The command line holds the limits as JSON, the number of the control socket, and the modules to
    load.
    """
    limits = SandboxLimits(**json.loads(sys.argv[1]))
    control = socket.socket(fileno=int(sys.argv[2]))
    isolation.harden_server()
    import_modules(sys.argv[3:])
    gc.freeze()
    child = 0
    while True:
        order, descriptors, _, _ = socket.recv_fds(control, 16, 1)
        if order == FORK:
            child = _fork(control, descriptors[0], limits)
        else:
            kill_all(child)
            child = 0
        if not order:
            os._exit(0)
        control.send(DONE)


def _fork(control: socket.socket, descriptor: int, limits: SandboxLimits) -> int:
    """Forks a student process that serves the connection, and returns its id."""
    if child := os.fork():
        os.close(descriptor)
        return child
    try:
        os.setsid()
        os.dup2(descriptor, 3)
        control.detach()
        os.closerange(4, 1 << 10)
        layers = isolation.confine(limits)
        os.dup2(1, 2)  # errors up to here went to the log; what students write goes nowhere
        worker.serve(socket.socket(fileno=3), layers)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def kill_all(child: int) -> None:
    """Kills a forked process with all that it has started, and returns when nothing is left.

    The children of a killed process become children of this one. In a namespace of its own they are
    dead already; elsewhere this process has to look for them.

    Args:
        child: Id of the process; 0 if there is none.
    """
    if child:
        os.kill(child, signal.SIGKILL)
    for attempt in itertools.count():
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.0005)
        except ChildProcessError:
            return
        if attempt >= 20:
            for orphan in _children():
                os.kill(orphan, signal.SIGKILL)


def _children() -> list[int]:
    """The ids of this process's children, including dead ones that nobody has waited for."""
    if sys.platform != "linux":
        import psutil

        return [x.pid for x in psutil.Process().children()]
    me = os.getpid()
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and _parent(name) == me]


def _parent(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rsplit(b")", 1)[1].split()[1])
    except OSError:
        return 0  # the process has just ended
