"""What a part of the benchmark is, and what it is given when it runs."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Row = dict[str, Any]
# done: it ran to its end. failed: it raised an error. stopped: its time was over, or Ctrl-C.
# skipped: this machine cannot run it.
Status = Literal["done", "failed", "stopped", "skipped"]


class NotHere(Exception):
    """This machine cannot run the part; the message is one sentence that says what is missing."""


@dataclass(frozen=True)
class Context:
    """What a part needs to know, and where its results go.

    Attributes:
        tiny: Whether toy sizes are measured, as on a CPU.
        seconds: How long the part may run.
        send_row: Takes a result and the line of text that shows it.
        started: When the part began, on the monotonic clock.
    """

    tiny: bool
    seconds: float
    send_row: Callable[[Row, str], None]
    started: float = field(default_factory=time.monotonic)

    def add(self, row: Row, line: str) -> None:
        """Store a result, which survives whatever happens to the part afterwards."""
        self.send_row(row, line)

    @property
    def seconds_left(self) -> float:
        """Seconds until the part is stopped."""
        return self.started + self.seconds - time.monotonic()


@dataclass(frozen=True)
class Part:
    """One measurement that can be made, stored and repeated by itself.

    Attributes:
        name: What `--parts` calls it.
        title: What it measures, in one line.
        limit: The most seconds that it may take.
        function: Where the function is that measures, as "module:name"; it is imported only by the
            process that runs it, because torch takes seconds.
    """

    name: str
    title: str
    limit: float
    function: str

    def run(self, context: Context) -> None:
        """Measure."""
        module, _, name = self.function.partition(":")
        getattr(importlib.import_module(module), name)(context)


@dataclass
class Outcome:
    """How a part ended.

    Attributes:
        status: As above.
        sentence: Why it did not end well; empty if it did.
        seconds: How long it ran.
        rows: Its results up to then.
    """

    status: Status = "done"
    sentence: str = ""
    seconds: float = 0.0
    rows: list[Row] = field(default_factory=list)


def one_sentence(error: BaseException) -> str:
    """Return what an error says in one line of at most 200 characters."""
    first = next(iter(str(error).strip().splitlines()), "")
    is_for_people = type(error).__name__ in ("CourseError", "NotHere")
    text = first if is_for_people and first else f"{type(error).__name__}: {first}".rstrip(": ")
    return text if len(text) <= 200 else f"{text[:199]}…"
