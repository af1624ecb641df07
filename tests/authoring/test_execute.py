"""A notebook runs in a kernel of this Python, and its time and memory are measured."""

import sys
import threading
import time

import nbformat
import pytest

from ift_course.authoring.execute import Stopped, execute


def notebook(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(x) for x in sources])


def test_the_kernel_is_this_interpreter_with_the_given_environment(tmp_path):
    source = "import os, sys; print(sys.executable, os.environ['COLOR'], os.getcwd())"
    execution = execute(notebook(source), env={"COLOR": "blue"}, cwd=tmp_path)
    printed = execution.notebook.cells[0].outputs[0].text
    assert printed.split() == [sys.executable, "blue", str(tmp_path)]


def test_peak_memory_counts_what_was_freed_again(tmp_path):
    small = execute(notebook("import time; time.sleep(0.5)"), env={}, cwd=tmp_path)
    source = (
        "import time; x = bytearray(300_000_000); x[::4096] = x[::4096]\ntime.sleep(0.5); del x"
    )
    large = execute(notebook(source, "time.sleep(0.2)"), env={}, cwd=tmp_path)
    assert 250 < large.peak_mb - small.peak_mb < 400


def test_cells_are_announced_as_they_start_and_the_time_is_theirs(tmp_path):
    numbers = []
    sources = ("import time; time.sleep(0.6)", "", "1")
    execution = execute(notebook(*sources), env={}, cwd=tmp_path, on_cell=numbers.append)
    assert numbers == [1, 2], "an empty cell is not executed"
    assert execution.cells == 2 and execution.seconds > 0.6


def test_setting_stop_kills_a_busy_kernel(tmp_path):
    stop = threading.Event()
    start = time.monotonic()
    with pytest.raises(Stopped):
        execute(
            notebook("import time; time.sleep(600)"),
            env={},
            cwd=tmp_path,
            on_cell=lambda _: stop.set(),
            stop=stop,
        )
    assert time.monotonic() - start < 300


def test_an_error_inside_a_library_still_names_the_cells_line(tmp_path):
    execution = execute(notebook("import json", "x = 1\njson.loads('{')"), env={}, cwd=tmp_path)
    assert execution.error.cell == 2
    assert execution.error.error.startswith("JSONDecodeError: Expecting property name")
    assert execution.error.line == "json.loads('{')"


A_GRID = """
import time
from types import SimpleNamespace
from ift_course.claims.progress import grid_progress

with grid_progress("07") as show:
    for completed in range(4):
        show(completed, 3, SimpleNamespace(seconds=1.0))
        print("a cell of the grid prints something")
        time.sleep(0.2)
"""


def test_a_notebook_that_shows_a_bar_goes_through_and_leaves_no_widgets_behind(tmp_path):
    execution = execute(notebook(A_GRID), env={}, cwd=tmp_path)
    assert execution.error is None
    assert "widgets" not in execution.notebook.metadata
