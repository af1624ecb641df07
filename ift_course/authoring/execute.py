"""Runs one notebook in a kernel of the current interpreter and measures it."""

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil
    from nbformat import NotebookNode

SAMPLE_SECONDS = 0.1
STARTUP_SECONDS = 300  # a kernel starts in one, but not on a machine that is busy
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class CellError:
    """`cell` counts code cells from 1, as In [n] does; `line` is the one of the cell that fails."""

    cell: int
    error: str
    line: str


@dataclass(frozen=True)
class Execution:
    """The executed notebook (up to the failing cell) and what it cost."""

    notebook: "NotebookNode"
    cells: int
    seconds: float
    peak_mb: float
    error: CellError | None


class Stopped(Exception):
    """The execution was told to stop."""


def code_cells(notebook: "NotebookNode") -> int:
    """How many cells will be executed."""
    return sum(x.cell_type == "code" and bool(x.source.strip()) for x in notebook.cells)


def execute(
    notebook: "NotebookNode",
    *,
    env: Mapping[str, str],
    cwd: Path,
    on_cell: Callable[[int], None] = lambda cell: None,
    stop: threading.Event | None = None,
) -> Execution:
    """Executes `notebook` in place.

    Args:
        env: what the kernel's environment has besides this process's.
        cwd: the kernel's working folder.
        on_cell: called with the number of each code cell, from 1, as it starts.
        stop: when it is set from another thread, the kernel is killed and `Stopped` raised.

    Raises:
        Stopped: `stop` was set.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    stop = stop or threading.Event()
    count = 0
    watch: _Watch | None = None

    def started(**_: object) -> None:
        nonlocal watch
        watch = _Watch(client.km.provisioner.pid, stop)

    def cell_starts(**_: object) -> None:
        nonlocal count
        if stop.is_set():
            raise Stopped
        count += 1
        on_cell(count)

    client = NotebookClient(
        notebook,
        kernel_manager_class=_this_interpreter(),
        timeout=None,
        startup_timeout=STARTUP_SECONDS,
        record_timing=False,
        on_notebook_start=started,
        on_cell_execute=cell_starts,
    )
    begin = time.perf_counter()
    error = None
    try:
        client.execute(env={**os.environ, **env}, cwd=str(cwd))
    except CellExecutionError as failure:
        error = CellError(count, _summary(failure), _failing_line(failure.traceback))
    except (DeadKernelError, RuntimeError) as death:
        if stop.is_set():
            raise Stopped from None
        if isinstance(death, RuntimeError) and "ernel died" not in str(death):
            raise
        error = CellError(count, "the kernel died, most often because memory ran out", "")
    finally:
        peak = watch.end() if watch else 0.0
        # Not `store_widget_state=False`: with it nbclient (0.11) fails at whatever is written into
        # an output widget, as a progress bar is.
        notebook.metadata.pop("widgets", None)
    if stop.is_set():
        raise Stopped
    return Execution(notebook, count, time.perf_counter() - begin, peak, error)


def _this_interpreter() -> type:
    """A kernel manager that starts this very Python, whatever kernels are installed."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    class ThisInterpreter(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            # Its warnings are about its sockets, which nobody outside this machine reaches.
            argv.append("--log-level=ERROR")
            return KernelSpec(argv=argv, display_name="Python 3", language="python")

    return ThisInterpreter


class _Watch:
    """Follows a kernel's memory, its children's included, and kills it when told to stop."""

    def __init__(self, pid: int, stop: threading.Event) -> None:
        import psutil

        self._kernel = psutil.Process(pid)
        self._stop = stop
        self._done = threading.Event()
        self._peak = 0
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def end(self) -> float:
        """Stops following. Returns the peak of the resident memory in MB."""
        self._done.set()
        self._thread.join()
        return self._peak / 1e6

    def _follow(self) -> None:
        import psutil

        while not self._done.is_set():
            with suppress(psutil.NoSuchProcess):
                family = [self._kernel, *self._kernel.children(recursive=True)]
                if self._stop.is_set():
                    for process in family:
                        process.kill()
                    return
                self._peak = max(self._peak, sum(_resident(x) for x in family))
            self._done.wait(SAMPLE_SECONDS)


def _resident(process: "psutil.Process") -> int:
    import psutil

    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def _summary(failure) -> str:
    """The error's name and its first line, as Python ends a traceback with."""
    words = str(failure.evalue).strip().splitlines()
    return f"{failure.ename}: {words[0]}" if words else failure.ename


def _failing_line(traceback: str) -> str:
    """The line of the cell that IPython's traceback points to."""
    arrow = re.search(r"^-+> *\d+ (.+)$", ANSI.sub("", traceback), re.MULTILINE)
    return arrow.group(1).strip() if arrow else ""
