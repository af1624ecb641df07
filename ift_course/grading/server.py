"""The process that student processes are forked from: Python and torch loaded, and no check.

It is trusted, and knows nothing worth stealing. Its parent, the grader, sends it `fork` with one
end of a connection, and `kill`. When the grader is gone it kills what it has forked and ends.
"""

import gc
import importlib
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
    while True:
        order, descriptors, _, _ = socket.recv_fds(control, 16, 1)
        if order == FORK:
            _fork(control, descriptors[0], limits)
        else:
            kill_all()
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


def _fork(control: socket.socket, descriptor: int, limits: isolation.Limits) -> None:
    if os.fork():
        os.close(descriptor)
        return
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


def kill_all() -> None:
    """Kills all that was forked, whoever has it now, and returns when nothing is left."""
    import psutil

    while True:
        for child in psutil.Process().children(recursive=True):
            os.kill(child.pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.001)
