"""The process that student processes are forked from: Python and torch loaded, and no check.

It is trusted, and knows nothing worth stealing. Its parent, the grader, sends it `fork` with one
end of a connection, and `kill`. When the grader is gone it kills what it has forked and ends.
"""

import gc
import importlib
import itertools
import json
import os
import signal
import socket
import sys
import time
import traceback

from ift_course.grading import isolation, worker

FORK, KILL, DONE = b"fork", b"kill", b"done"


def main() -> None:
    """Arguments: the limits as JSON; the number of the control socket; modules to load."""
    limits = isolation.Limits(**json.loads(sys.argv[1]))
    control = socket.socket(fileno=int(sys.argv[2]))
    isolation.quiet_server()
    load(sys.argv[3:])
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


def load(modules: list[str]) -> None:
    """Imports what every student process is to have; what is not installed is left out."""
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception:
            continue  # the student's own import will say what is wrong
    worker.seed()  # once here, since torch loads much of itself for it


def _fork(control: socket.socket, descriptor: int, limits: isolation.Limits) -> int:
    if child := os.fork():
        os.close(descriptor)
        return child
    try:
        os.setsid()
        os.dup2(descriptor, 3)
        control.detach()
        os.closerange(4, 1 << 10)
        rungs = isolation.enter(limits)
        os.dup2(1, 2)  # what students write goes nowhere; what went wrong until here, to the log
        worker.serve(socket.socket(fileno=3), rungs)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def kill_all(child: int) -> None:
    """Kills what was forked, and returns when nothing of it is left.

    What a killed process has started becomes a child of this one. In a namespace of its own it is
    dead already; elsewhere it has to be looked for.
    """
    if child:
        os.kill(child, signal.SIGKILL)
    for patience in itertools.count():
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.0005)
        except ChildProcessError:
            return
        if patience >= 20:
            for orphan in _children():
                os.kill(orphan, signal.SIGKILL)


def _children() -> list[int]:
    """The children of this process, dead ones that were not waited for included."""
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
        return 0  # it has just ended
