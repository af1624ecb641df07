"""A time limit for a function of the learner's in the learner's own kernel.

Python can end neither a thread nor a loop from outside, but it can raise an exception inside it.
On Linux and macOS a timer's signal does that in the main thread, where notebooks run their cells;
on Windows and in other threads, a second thread asks the interpreter to. A call into C that never
comes back to Python, as `sum(itertools.count())`, ends only with its process.

A loop may catch the exception. The next one must then arrive outside of its `try`, where the
interpreter spends a millionth of a second in each round. The exception itself sees to that: when
the handler is done with it and it is deleted, it asks for the next one.
"""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any, TypeVar

AGAIN = 0.05  # seconds to the next exception, if one is caught and kept

T = TypeVar("T")


class StillRunning(BaseException):
    """The limit is over. Not an Exception, so that `except Exception` does not catch it."""


def limited(call: Callable[[], T], seconds: float) -> T:
    """Call a function, and interrupt it if it takes too long.

    Args:
        call: What to call.
        seconds: The limit.

    Returns:
        What the function returns.

    Raises:
        StillRunning: The limit was over before the function came to its end.
    """
    guard = guard_here()(seconds)
    try:
        try:
            # In here: the first exception may come as soon as the guard has been started.
            guard.start(sys._getframe())
            return call()
        finally:
            guard.stop()
    finally:
        guard.stop()  # again, in case that an exception came just before the first


def guard_here() -> type[SignalGuard] | type[ThreadGuard]:
    """What interrupts this thread."""
    is_main = threading.current_thread() is threading.main_thread()
    return SignalGuard if is_main and hasattr(signal, "setitimer") else ThreadGuard


class _Insistent:
    """Exceptions for one thread, each of which asks for the next one when it is deleted.

    kind: Their class. Its `__del__` is a function in C, or the next one would arrive within it.
    """

    def __init__(self) -> None:
        thread = ctypes.c_ulong(threading.get_ident())
        self._ask = partial(ctypes.pythonapi.PyThreadState_SetAsyncExc, thread)
        self.kind = type("StillRunning", (StillRunning,), {})
        self.kind.__del__ = staticmethod(self.send)

    @property
    def send(self) -> Callable[[], Any]:
        """Has the thread raise an exception at its next step."""
        return partial(self._ask, ctypes.py_object(self.kind))

    def stop(self) -> None:
        """No more exceptions, not even one that is on its way."""
        self.kind.__del__ = staticmethod(int)
        self._ask(None)


class SignalGuard:
    """Raises StillRunning by a timer's signals to the main thread, again and again."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._exceptions, self._stopped = seconds, _Insistent(), False
        # None is a handler that was not set from Python, and cannot be put back.
        self._before = signal.getsignal(signal.SIGALRM) or signal.SIG_DFL

    def start(self, caller: FrameType) -> None:
        """From now on; only in what the frame `caller` calls, and not in this file."""

        def ring(_: int, frame: FrameType | None) -> None:
            while frame is not None and frame.f_back is not caller:
                frame = frame.f_back
            if frame is not None and frame.f_code.co_filename != __file__:
                raise self._exceptions.kind

        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, self._seconds, AGAIN)

    def stop(self) -> None:
        """Takes back an exception that is on its way, and puts back the handler that there was."""
        while not self._stopped:
            with contextlib.suppress(StillRunning):
                self._exceptions.stop()
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, self._before)
                self._stopped = True


class ThreadGuard:
    """Raises StillRunning in the thread that makes it, by a second one, again and again."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._exceptions = seconds, _Insistent()
        self._stopped, self._lock = threading.Event(), threading.Lock()

    def start(self, _: FrameType) -> None:
        """From now on, in whatever this thread does."""
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        pause = self._seconds
        while not self._stopped.wait(pause):
            with self._lock:
                if not self._stopped.is_set():
                    self._exceptions.send()
            pause = AGAIN

    def stop(self) -> None:
        """Takes back an exception that is on its way, and ends the second thread."""
        while not self._stopped.is_set():
            with contextlib.suppress(StillRunning), self._lock:
                self._exceptions.stop()
                self._stopped.set()
