"""A time limit for a learner's function in the learner's own kernel.

Python can end neither a thread nor a loop from outside, but it can raise an exception inside it.
On Linux and macOS a timer's signal does that in the main thread, where notebooks run their cells;
on Windows and in other threads, a second thread asks the interpreter to do it. A call into C that
never returns to Python, such as `sum(itertools.count())`, ends only with its process.

A loop may catch the exception. The next one must then arrive outside of the loop's `try`, where
the interpreter spends a microsecond in each iteration. The exception itself takes care of that:
when its handler is finished and the exception is deleted, it requests the next one.
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

REPEAT = 0.05  # seconds to the next exception, if one is caught and stored

T = TypeVar("T")


class StillRunning(BaseException):
    """The time limit has passed. Not an Exception, so that `except Exception` does not catch it."""


def limited(call: Callable[[], T], seconds: float) -> T:
    """Call a function, and interrupt it if it takes too long.

    Args:
        call: The function.
        seconds: The limit.

    Returns:
        What the function returns.

    Raises:
        StillRunning: The limit passed before the function returned.
    """
    guard = guard_here()(seconds)
    try:
        try:
            # Inside the try: the first exception may come as soon as the guard has started.
            guard.start(sys._getframe())
            return call()
        finally:
            guard.stop()
    finally:
        guard.stop()  # again, in case an exception came just before the first call


def guard_here() -> type[SignalGuard] | type[ThreadGuard]:
    """The guard that can interrupt the current thread."""
    is_main = threading.current_thread() is threading.main_thread()
    return SignalGuard if is_main and hasattr(signal, "setitimer") else ThreadGuard


class _RepeatingException:
    """Exceptions for one thread, each of which requests the next one when it is deleted.

    Attributes:
        kind: Their class. Its `__del__` is a C function, or the next one would arrive inside it.
    """

    def __init__(self) -> None:
        thread = ctypes.c_ulong(threading.get_ident())
        self._raise_in_thread = partial(ctypes.pythonapi.PyThreadState_SetAsyncExc, thread)
        self.kind: Any = type("StillRunning", (StillRunning,), {})
        self.kind.__del__ = staticmethod(self.send)

    @property
    def send(self) -> Callable[[], Any]:
        """A function that makes the thread raise an exception at its next step."""
        return partial(self._raise_in_thread, ctypes.py_object(self.kind))

    def stop(self) -> None:
        """Cancel all further exceptions, including one that is already requested."""
        self.kind.__del__ = staticmethod(int)
        self._raise_in_thread(None)


class SignalGuard:
    """Raise StillRunning again and again by a timer's signals to the main thread."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._exceptions, self._stopped = seconds, _RepeatingException(), False
        # None is a handler that was not set from Python, and cannot be put back.
        self._before = signal.getsignal(signal.SIGALRM) or signal.SIG_DFL

    def start(self, caller: FrameType) -> None:
        """Start the timer; it interrupts only what the frame `caller` calls, and not this file."""

        def ring(_: int, frame: FrameType | None) -> None:
            while frame is not None and frame.f_back is not caller:
                frame = frame.f_back
            if frame is not None and frame.f_code.co_filename != __file__:
                raise self._exceptions.kind

        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, self._seconds, REPEAT)

    def stop(self) -> None:
        """Cancel a requested exception and restore the previous signal handler."""
        while not self._stopped:
            with contextlib.suppress(StillRunning):
                self._exceptions.stop()
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, self._before)
                self._stopped = True


class ThreadGuard:
    """Raise StillRunning again and again, from a second thread, in the one that creates this."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._exceptions = seconds, _RepeatingException()
        self._stopped, self._lock = threading.Event(), threading.Lock()

    def start(self, _: FrameType) -> None:
        """Start the second thread; it interrupts whatever the current thread does."""
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        pause = self._seconds
        while not self._stopped.wait(pause):
            with self._lock:
                if not self._stopped.is_set():
                    self._exceptions.send()
            pause = REPEAT

    def stop(self) -> None:
        """Cancel a requested exception and end the second thread."""
        while not self._stopped.is_set():
            with contextlib.suppress(StillRunning), self._lock:
                self._exceptions.stop()
                self._stopped.set()
