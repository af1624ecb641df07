"""Execution of one notebook in a kernel of the current interpreter, with its time and memory."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import psutil
    from jupyter_client.provisioning.local_provisioner import LocalProvisioner
    from nbclient.exceptions import CellExecutionError
    from nbformat import NotebookNode

SAMPLE_SECONDS = 0.1
STARTUP_SECONDS = 300  # usually one second, but much longer on a busy machine
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class CellError:
    """The error that stopped a notebook.

    Attributes:
        cell: Number of the code cell, from 1, as in In [n].
        error: Name and message of the exception.
        line: The cell's line that failed; empty if there is none.
    """

    cell: int
    error: str
    line: str


@dataclass(frozen=True)
class Execution:
    """An executed notebook and its cost.

    Attributes:
        notebook: With outputs, up to the failing cell.
        cells: Code cells that were started.
        seconds: Time of the execution.
        peak_mb: Peak of the kernel's resident memory in MB (10^6 bytes), its children's included.
        error: The error that stopped it, if there was one.
    """

    notebook: NotebookNode
    cells: int
    seconds: float
    peak_mb: float
    error: CellError | None


class Stopped(Exception):
    """The execution was stopped from outside."""


def count_code_cells(notebook: NotebookNode) -> int:
    """How many cells of a notebook will be executed."""
    return sum(x.cell_type == "code" and bool(x.source.strip()) for x in notebook.cells)


def execute(
    notebook: NotebookNode,
    *,
    env: Mapping[str, str],
    cwd: Path,
    on_cell: Callable[[int], None] = lambda cell: None,
    stop: threading.Event | None = None,
) -> Execution:
    """Execute `notebook` in place.

    Args:
        notebook: The notebook; its cells get their outputs.
        env: Variables that the kernel gets in addition to this process's environment.
        cwd: The kernel's working folder.
        on_cell: Called with the number of each code cell, from 1, when it starts.
        stop: Set it from another thread to kill the kernel.

    Raises:
        Stopped: `stop` was set.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    stop = stop or threading.Event()
    count = 0
    monitor: _MemoryMonitor | None = None

    def on_start(**_: object) -> None:
        nonlocal monitor
        assert client.km is not None, "the kernel has just started"
        provisioner = cast("LocalProvisioner", client.km.provisioner)
        assert provisioner.pid is not None
        monitor = _MemoryMonitor(provisioner.pid, stop)

    def on_cell_start(**_: object) -> None:
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
        on_notebook_start=on_start,
        on_cell_execute=on_cell_start,
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
        peak = monitor.stop() if monitor else 0.0
        # Not `store_widget_state=False`: with it, nbclient (0.11) fails on everything that is
        # written into an output widget, such as a progress bar.
        notebook.metadata.pop("widgets", None)
    if stop.is_set():
        raise Stopped
    return Execution(notebook, count, time.perf_counter() - begin, peak, error)


def _this_interpreter() -> type:
    """A kernel manager that starts the Python of this process, whatever kernels are installed."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    class ThisInterpreter(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            # It warns of its open sockets, but nobody outside this machine can reach them.
            argv.append("--log-level=ERROR")
            return KernelSpec(argv=argv, display_name="Python 3", language="python")

    return ThisInterpreter


class _MemoryMonitor:
    """Measures a kernel's memory, its children's included, and kills the kernel on request."""

    def __init__(self, pid: int, stop: threading.Event) -> None:
        import psutil

        self._kernel = psutil.Process(pid)
        self._stop = stop
        self._ended = threading.Event()
        self._peak = 0
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Stop measuring, and return the peak of the resident memory in MB."""
        self._ended.set()
        self._thread.join()
        return self._peak / 1e6

    def _sample(self) -> None:
        import psutil

        while not self._ended.is_set():
            with suppress(psutil.NoSuchProcess):
                family = [self._kernel, *self._kernel.children(recursive=True)]
                if self._stop.is_set():
                    for process in family:
                        process.kill()
                    return
                self._peak = max(self._peak, sum(_resident(x) for x in family))
            self._ended.wait(SAMPLE_SECONDS)


def _resident(process: psutil.Process) -> int:
    """Resident memory in bytes; 0 if the process has ended."""
    import psutil

    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def _summary(failure: CellExecutionError) -> str:
    """The error's name and the first line of its message, like the end of a traceback."""
    lines = str(failure.evalue).strip().splitlines()
    return f"{failure.ename}: {lines[0]}" if lines else failure.ename


def _failing_line(traceback: str) -> str:
    """The line of the cell that IPython's traceback points to."""
    arrow = re.search(r"^-+> *\d+ (.+)$", ANSI.sub("", traceback), re.MULTILINE)
    return arrow.group(1).strip() if arrow else ""
