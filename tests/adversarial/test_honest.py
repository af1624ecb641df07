"""Odd but honest work gets all of its points, and a note where something was left out."""

import json

import jupytext
import pytest

from ift_course.exercises.source import STUB
from tests.adversarial.conftest import earned


@pytest.fixture
def cells(solution):
    """The code cells of the solution."""
    return [x.source for x in jupytext.reads(solution, "py:percent").cells if x.cell_type == "code"]


def notebook(cells, minor=5, **metadata):
    documents = [{"cell_type": "code", "source": x.splitlines(keepends=True), "metadata": {},
             "outputs": [], "execution_count": None} for x in cells]  # fmt: skip
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": minor, "metadata": metadata, "cells": documents}
    )


WRONG = "def greedy_decode(*_):\n    return 'an early try'"
ODD = {
    "as it is": lambda cells: notebook(cells),
    "prints and warnings": lambda cells: notebook(
        ["import warnings\nprint('hello ' * 1000)\nwarnings.warn('old')", *cells,
         "loss = next_token_loss\n"
         "def next_token_loss(*args):\n"
         "    warnings.warn('a warning in the function')\n"
         "    print('here')\n"
         "    return loss(*args)"]),
    "a duplicate before, the last wins": lambda cells: notebook([WRONG, *cells]),
    "check cells deleted": lambda cells: notebook([x for x in cells if "ift." not in x[:40]]),
    "extra cells": lambda cells: notebook(["1 + 1", *cells, "# nothing", "", "'the end'"]),
    "broken cells": lambda cells: notebook(["1 / 0", "def f(:", *cells, "unknown_name"]),
    "magics and shell lines": lambda cells: notebook(
        ["%matplotlib inline\n!pip install nothing\nfiles = !ls", "%%bash\nrm -rf x",
         "?print", *(f"%%time\n{x}" for x in cells)]),
    "percent signs in texts": lambda cells: notebook(
        ['text = """\n%matplotlib inline\n!ls\n"""\nassert text.count("%") == 1', *cells]),
    "windows lines": lambda cells: notebook([x.replace("\n", "\r\n") for x in cells]),
    "another kernel's metadata": lambda cells: notebook(
        cells, kernelspec={"name": "julia-1.9", "language": "julia"}, colab={"provenance": []}),
    "a notebook of version 4.0": lambda cells: notebook(cells, minor=0),
    "threads": lambda cells: notebook(
        ["import torch\ntorch.set_num_threads(2)\ntorch.randn(300, 300) @ torch.randn(300, 300)",
         "import threading\nthreading.Thread(target=print).start()", *cells]),
    "caches and files of its own": lambda cells: notebook(
        ["open('cache.txt', 'w').write('x')\nassert open('cache.txt').read() == 'x'",
         "import tempfile\nwith tempfile.TemporaryFile() as f:\n    f.write(b'x')", *cells]),
    "type hints from the future": lambda cells: notebook(
        ["from __future__ import annotations\nfrom dataclasses import dataclass\n"
         "@dataclass\nclass Thing:\n    x: int = 3\nThing()", *cells]),
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
def test_gets_full_marks(kind, grade, cells):
    lines = grade(ODD[kind](cells), "x.ipynb")
    assert earned(lines) == 6, lines


def test_as_a_python_file(grade, solution):
    assert earned(grade(solution)) == 6
    assert earned(grade("\ufeff" + solution.replace("\n", "\r\n"))) == 6


def test_what_was_skipped_or_broken_is_noted(grade, cells):
    notes = grade(ODD["magics and shell lines"](cells), "x.ipynb")[""]["notes"]
    assert "Cell 1: skipped %matplotlib inline, !pip install nothing, !ls" in notes
    assert any("Cell 2: skipped %%bash" in x for x in notes)
    notes = grade(ODD["broken cells"](cells), "x.ipynb")[""]["notes"]
    assert any("Cell 1 stopped with ZeroDivisionError" in x for x in notes)
    assert any("Cell 2 stopped with SyntaxError" in x for x in notes)


def test_a_stub_is_not_begun_and_a_missing_function_is_missing(grade):
    lines = grade(f"def greedy_decode(*_):\n    {STUB}")
    assert lines["01.3/test_stops_at_the_end"]["status"] == "not yet"
    assert lines["01.1/test_large_scores"]["status"] == "missing"


def test_a_not_implemented_error_of_the_students_own_is_an_error(grade):
    lines = grade("def greedy_decode(*_):\n    raise NotImplementedError('later')")
    assert lines["01.3/test_stops_at_the_end"]["status"] == "error"
    assert "later" in lines["01.3/test_stops_at_the_end"]["message"]


def test_what_is_no_notebook_needs_review(grade):
    lines = grade("{", "x.ipynb")
    assert {x["status"] for x in lines.values() if "status" in x} == {"needs review"}


def test_a_wrong_form_is_a_failure_and_no_fault_of_the_grader(grade):
    lines = grade(
        "def greedy_decode(*_):\n    return None\n\ndef next_token_loss(*_):\n    return {}"
    )
    assert {x["status"] for x in lines.values() if "status" in x} == {"failed"}


@pytest.mark.parametrize("slow", ["while True:\n    pass", "import os\nos._exit(0)"])
def test_a_slow_or_fatal_experiment_behind_a_function_does_not_cost_the_function(
    slow, grade, cells
):
    functions = ("def next_token_loss", "def greedy_decode")
    behind = [f"{x}\n{slow}" if any(name in x for name in functions) else x for x in cells]
    lines = grade(notebook(behind), "x.ipynb", 2)
    assert earned(lines) == earned(grade(notebook(cells), "x.ipynb")) > 0
    assert sum("only the definitions were run" in note for note in lines[""]["notes"]) == 2
