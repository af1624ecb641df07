"""The process that runs the parts, as seen from inside it and from outside.

torch and CUDA live in a process of their own, so that a part that hangs can be stopped and one that
breaks CUDA for its process does not break the next. One process runs part after part until one of
them ends badly, because importing the libraries takes longer than some parts.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from gpu_parts.part import Context, NotHere, Outcome, Part, Row, one_sentence

GRACE = 5.0  # seconds that a process has to end
# Describes the machine; the function is replaced in tests, which need no torch.
MACHINE = "gpu_parts.machine:describe"


def work(connection: Connection, tiny: bool, machine: str) -> None:
    """Run the parts that arrive through the connection until it is closed.

    Messages to the parent are ("machine", description), ("row", row, line) and
    ("end", status, sentence).

    Args:
        connection: To the parent process.
        tiny: Whether toy sizes are measured.
        machine: Where the function is that describes the machine.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    if hasattr(os, "setsid"):
        os.setsid()  # so that the parent can end this process together with those that it starts
    description: dict[str, Any] = {}

    def send_machine(row: Row, line: str) -> None:
        description.update(row)

    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        status, sentence = attempt(Part("machine", "", 0, machine), Context(tiny, 0, send_machine))
        connection.send(("machine", description, status, sentence))
        while True:
            part, seconds = connection.recv()
            context = Context(tiny, seconds, lambda row, line: connection.send(("row", row, line)))
            connection.send(("end", *attempt(part, context)))


def attempt(part: Part, context: Context) -> tuple[str, str]:
    """Run a part; return its status, and a sentence if it did not end well."""
    try:
        part.run(context)
    except NotHere as reason:
        return "skipped", one_sentence(reason)
    except (BrokenPipeError, ConnectionResetError):
        raise  # the parent is gone
    except Exception as error:  # whatever a library raises, the next part has to run
        return "failed", one_sentence(error)
    return "done", ""


class Worker:
    """The process, as the parent sees it.

    Attributes:
        machine: What it found out about the machine.
        refusal: One sentence if nothing can be measured on it, else empty.
    """

    def __init__(self, tiny: bool, machine: str = MACHINE) -> None:
        # A forked process cannot use CUDA.
        spawn = multiprocessing.get_context("spawn")
        self._connection, theirs = spawn.Pipe()
        self._process = spawn.Process(target=work, args=(theirs, tiny, machine), daemon=True)
        self._process.start()
        theirs.close()
        try:
            _, self.machine, status, sentence = self._connection.recv()
        except EOFError:
            self.machine, status = {}, "failed"
            sentence = "The process that measures ended before it could look at the machine."
        except BaseException:
            self.close()
            raise
        self.refusal = "" if status == "done" else sentence

    def run(self, part: Part, seconds: float, show: Callable[[str], None]) -> Outcome:
        """Run a part for at most so many seconds, and show each result as it arrives.

        A part that ends by Ctrl-C raises KeyboardInterrupt, which carries its results as
        `outcome`.
        """
        outcome, started = Outcome(), time.monotonic()
        try:
            self._connection.send((part, seconds))
            self._receive(outcome, started + seconds, show)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self._process.join(GRACE)
            outcome.status = "failed"
            outcome.sentence = f"The process ended with exit code {self._process.exitcode}."
        except KeyboardInterrupt as interrupt:
            outcome.status, outcome.sentence = "stopped", "Ctrl-C."
            interrupt.outcome = outcome  # pyright: ignore[reportAttributeAccessIssue]
            raise
        finally:
            outcome.seconds = round(time.monotonic() - started, 1)
        return outcome

    def _receive(self, outcome: Outcome, deadline: float, show: Callable[[str], None]) -> None:
        while self._connection.poll(max(0.0, deadline - time.monotonic())):
            kind, *content = self._connection.recv()
            if kind == "end":
                outcome.status, outcome.sentence = content
                return
            row, line = content
            outcome.rows.append(row)
            show(line)
        outcome.status, outcome.sentence = "stopped", "Its time was over."

    def close(self) -> None:
        """End the process and those that it started."""
        self._connection.close()  # without work, it ends by itself
        self._process.join(GRACE)
        # torchrun passes the first signal on to its own processes.
        for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
            if self._process.is_alive():
                self._signal(number)
                self._process.join(GRACE)

    def _signal(self, number: int) -> None:
        pid = self._process.pid
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg") and os.getpgid(pid) == pid:
                os.killpg(pid, number)
            else:
                self._process.terminate()
