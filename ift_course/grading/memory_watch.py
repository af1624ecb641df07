"""The memory that a student's processes hold together, and their end above the limit.

A limit on mappings (RLIMIT_AS) counts each process alone, so many small ones could take what one
may not. Memory that no mapping shows is not measured here: the calls for it are refused (see
`seccomp`). A control group would measure everything, but on most machines only root may set one up.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERVAL = 0.05  # seconds; a process can touch about 100 MB in that time
RESIDENT_FIELDS = ("RssAnon:", "RssShmem:")
PROPORTIONAL_FIELDS = ("Pss_Anon:", "Pss_Shmem:")


class MemoryWatch(threading.Thread):
    """Ends all descendants of a process when they hold more than the limit.

    Attributes:
        exceeded: Whether that has happened.
    """

    def __init__(self, root: int, megabytes: int) -> None:
        """Takes what the descendants hold now as the starting point.

        Args:
            root: Id of the process.
            megabytes: How much more its descendants may take.
        """
        super().__init__(daemon=True, name="memory watch")
        self.exceeded = False
        self._root = root
        self._limit = resident_bytes(root) + (megabytes << 20)
        self._done = threading.Event()

    def run(self) -> None:
        """Measures again and again, until `stop`.

        Above the limit it kills each time anew: a process that was started while the others were
        being found lives on, and with it their connection to the grader.
        """
        while not self._done.wait(INTERVAL):
            self.exceeded = self.exceeded or self._is_above()
            if self.exceeded:
                for process in descendants(self._root):
                    with contextlib.suppress(OSError):
                        os.kill(process, signal.SIGKILL)

    def _is_above(self) -> bool:
        measures = (resident_bytes, proportional_bytes)  # the second is slower
        return all(measure(self._root) > self._limit for measure in measures)

    def stop(self) -> None:
        """Returns when nothing is measured or killed any more."""
        self._done.set()
        self.join()


def descendants(root: int) -> list[int]:
    """The ids of the processes that a process has started, directly or through others."""
    processes, parents = [], [root]
    while parents:
        children = [int(x) for x in _children(parents.pop())]
        processes += children
        parents += children
    return processes


def _children(process: int) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{process}/task/{thread}/children").read_text()
                yield from text.split()


def resident_bytes(root: int) -> int:
    """Bytes that the descendants hold; memory that several of them share is counted for each."""
    return sum(_sum(f"/proc/{x}/status", RESIDENT_FIELDS) for x in descendants(root))


def proportional_bytes(root: int) -> int:
    """As `resident_bytes`, with shared memory divided among those who share it; slower."""
    return sum(
        _sum(f"/proc/{x}/smaps_rollup", PROPORTIONAL_FIELDS)
        or _sum(f"/proc/{x}/status", RESIDENT_FIELDS)
        for x in descendants(root)
    )


def _sum(path: str, fields: tuple[str, ...]) -> int:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return 0  # the process has just ended, or may not be inspected
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(fields))
