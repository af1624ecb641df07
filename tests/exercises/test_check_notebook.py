"""`ift check` reports whatever a notebook does in one line and checks the others."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from ift_course.errors import CourseError
from ift_course.exercises.check_notebook import check_notebook

RIGHT = {
    "next_token_loss": """
def next_token_loss(logits, tokens):
    if len(tokens) < 2:
        raise ValueError
    return F.cross_entropy(logits[:-1].float(), tokens[1:])
""",
    "perplexity": """
def perplexity(losses):
    tokens = [x for document in losses for x in document]
    if not tokens:
        raise ValueError
    return math.exp(sum(tokens) / len(tokens))
""",
}
IMPORTS = "import math\nimport torch\nimport torch.nn.functional as F\nimport ift_course as ift"


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_PROGRESS", str(tmp_path / "progress.json"))

    def write(*cells: str, name: str = "01_mine.ipynb") -> Path:
        document = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in (IMPORTS, *cells)]
        )
        path = tmp_path / name
        nbformat.write(document, path)
        return path

    return write


def results(path: Path, limit: float = 20.0) -> dict:
    return {x.exercise.function: x for x in check_notebook(path, limit)}


def test_broken_cells_cost_only_their_own_exercise(notebook):
    path = notebook(
        RIGHT["perplexity"],
        "def next_token_loss(logits, tokens):\n    return (",
        "print('loud')\nraise RuntimeError('a cell of mine')",
        "def greedy_decode(next_logits, prompt, max_new_tokens, end):\n    raise SystemExit(0)",
        "%matplotlib inline\n!ls\nift.check(perplexity)",
    )
    by_function = results(path)
    assert by_function["perplexity"].report.passed
    assert by_function["next_token_loss"].problem.startswith(
        "cell 3 is not valid Python: '(' was never closed"
    )
    assert "no function response_loss" in by_function["response_loss"].problem
    assert (
        "cell 4 stopped with RuntimeError: a cell of mine" in by_function["response_loss"].problem
    )
    assert {x.status for x in by_function["greedy_decode"].report.verdicts} == {"error"}


@pytest.mark.slow
def test_endless_loops_and_dying_cells_cost_only_their_own_exercise(notebook):
    path = notebook(
        RIGHT["next_token_loss"],
        "while True:\n    pass",
        "def greedy_decode(next_logits, prompt, max_new_tokens, end):\n    while True: pass",
        "def perplexity(losses):\n    import os\n    os._exit(0)",
        RIGHT["next_token_loss"],
    )
    by_function = results(path, limit=4.0)
    assert by_function["next_token_loss"].report.passed
    assert (
        by_function["greedy_decode"].problem
        == "The exercise 01.3 was still running after 4 seconds"
    )
    assert by_function["perplexity"].problem == "The exercise 01.2 ended the process"
    assert "cell 3 was still running after 4 seconds" in by_function["response_loss"].problem


@pytest.mark.parametrize(("text", "why"), [
    ('{"cells": [', "cut off"), ("", "is empty"),
    ('{"nbformat": 4}', "has no cells"), ("[1, 2]", "not a notebook"),
])  # fmt: skip
def test_broken_json_is_one_sentence(tmp_path, text, why):
    path = tmp_path / "01_mine.ipynb"
    path.write_text(text)
    with pytest.raises(CourseError, match=why):
        check_notebook(path)


@pytest.mark.parametrize("line", [
    "    note = f'{losses!r} has no token!'", "    note = '%d of %s' % (1, 'x')",
    "    note = '''\\n!ls\\n%time\\n?help\\n'''",
])  # fmt: skip
def test_an_exclamation_or_percent_sign_in_a_string_is_no_magic(notebook, line):
    code = RIGHT["perplexity"].replace("    if not tokens", f"{line}\n    if not tokens")
    assert results(notebook(code))["perplexity"].report.passed


@pytest.mark.parametrize("head", [
    "%%time\n", "%%capture out\n", "files = !ls\n", "?print\n", "\ufeff",
    "import asyncio\nawait asyncio.sleep(0)\n",
])  # fmt: skip
def test_a_function_counts_whatever_ipython_syntax_stands_around_it(notebook, head):
    assert results(notebook(head + RIGHT["perplexity"].lstrip()))["perplexity"].report.passed


def test_a_bad_line_does_not_cost_the_function_in_the_same_cell(notebook):
    by_function = results(notebook(f"{RIGHT['perplexity']}\nthis line is broken\n"))
    assert by_function["perplexity"].report.passed


def test_a_notebook_of_another_lesson_is_named_as_such(notebook):
    path = notebook("def pack(rows, capacity):\n    return rows")
    with pytest.raises(CourseError, match=r"functions of lesson 02 \(pack\) but none of lesson 01"):
        check_notebook(path)


def test_a_missing_notebook_and_one_of_no_lesson_are_one_sentence(tmp_path):
    with pytest.raises(CourseError, match="There is no notebook"):
        check_notebook(tmp_path / "01_gone.ipynb")
    with pytest.raises(CourseError, match=r"the form NN_topic\.ipynb"):
        check_notebook(tmp_path / "mine.ipynb")


def test_the_command_goes_on_after_a_broken_notebook_and_says_what_is_wrong(notebook, tmp_path):
    broken = tmp_path / "02_broken.ipynb"
    broken.write_text("{")
    path = notebook(RIGHT["perplexity"].replace("/ len(tokens)", "/ len(losses)"))
    command = [sys.executable, "-c", "from ift_course.cli import main; main()", "check"]
    process = subprocess.run([*command, str(tmp_path / "03_gone.ipynb"), str(broken), str(path)],
                          capture_output=True, text=True)  # fmt: skip
    assert process.returncode == 1 and "Traceback" not in process.stdout + process.stderr
    assert "There is no notebook" in process.stdout and "cut off" in process.stdout
    assert "01.2 Perplexity of several documents: " in process.stdout
    assert "expected" in process.stdout
    progress = json.loads(Path(os.environ["IFT_PROGRESS"]).read_text())
    assert progress["01.2"]["tries"] == 1


@pytest.mark.slow
def test_a_slow_experiment_behind_a_function_does_not_cost_the_function(notebook):
    path = notebook(
        f"{RIGHT['perplexity']}\nwhile True:\n    pass",
        "def greedy_decode(*_):\n    while True:\n        pass",
    )
    by_function = results(path, limit=4)
    assert by_function["perplexity"].report.passed
    assert "still running" in by_function["greedy_decode"].problem
    assert "greedy" not in by_function["sample_nucleus"].problem
    assert "01.3" not in by_function["sample_nucleus"].problem
