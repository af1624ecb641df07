"""How much memory a student's processes hold together, and an end to it above the limit.

A limit on mappings (RLIMIT_AS) counts each process alone, so many small ones could take what one
may not. Memory that no mapping shows is not measured here: the calls for it are refused (see
`seccomp`). A control group would measure everything, but on most machines only root may set one up.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

INTERVAL = 0.05  # seconds; a process can touch about 100 MB in that time
FIELDS = ("RssAnon:", "RssShmem:")
SHARED_FAIRLY = ("Pss_Anon:", "Pss_Shmem:")


class Watch(threading.Thread):
    """Ends all descendants of a process when they hold more than the limit.

    exceeded: whether that has happened.
    """

    def __init__(self, root: int, megabytes: int) -> None:
        super().__init__(daemon=True, name="memory watch")
        self.exceeded = False
        self._root = root
        self._limit = held(root) + (megabytes << 20)
        self._done = threading.Event()

    def run(self) -> None:
        """Looks again and again, until `stop`."""
        while not self._done.wait(INTERVAL):
            if held(self._root) > self._limit and held_fairly(self._root) > self._limit:
                self.exceeded = True
                for process in descendants(self._root):
                    with contextlib.suppress(OSError):
                        os.kill(process, signal.SIGKILL)

    def stop(self) -> None:
        """Returns when nothing is looked at or killed any more."""
        self._done.set()
        self.join()


def descendants(root: int) -> list[int]:
    """The processes that a process has started, and those that these have started."""
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


def held(root: int) -> int:
    """Bytes that the descendants hold; what several of them share is counted for each."""
    return sum(_sum(f"/proc/{x}/status", FIELDS) for x in descendants(root))


def held_fairly(root: int) -> int:
    """As `held`, with what is shared divided among those who share it; slower."""
    return sum(
        _sum(f"/proc/{x}/smaps_rollup", SHARED_FAIRLY) or _sum(f"/proc/{x}/status", FIELDS)
        for x in descendants(root)
    )


def _sum(path: str, fields: tuple[str, ...]) -> int:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return 0  # it has just ended, or may not be looked at
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(fields))
