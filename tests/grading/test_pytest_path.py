"""Plain pytest and `ift grade` say the same, and other people's pytest runs are left alone."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ift_course.exercises import source
from ift_course.grading import gradebook
from ift_course.grading.attempt import TimeLimits
from ift_course.grading.grade import grade_class
from ift_course.grading.plan import GradingPlan
from ift_course.grading.pool import GradingConfig

TIMES = TimeLimits(cell=3, check=1)


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def notebook(*codes):
    cells = [{"cell_type": "code", "source": x, "metadata": {}, "outputs": [],
              "execution_count": None} for x in codes]  # fmt: skip
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


@pytest.fixture(scope="module")
def sources():
    return {x.name[:2]: x.read_text(encoding="utf-8") for x in source.sources()}


@pytest.fixture(scope="module")
def solutions(sources):
    return {lesson: source.solved(text) for lesson, text in sources.items()}


@pytest.fixture(scope="module")
def submissions(sources, solutions, tmp_path_factory):
    """One of each kind; the one who solved everything stands before, between and after them."""
    right = solutions["02"]
    codes = {
        "a right": right,
        "b no notebook": ("ipynb", "{"),
        "c empty file": ("ipynb", ""),
        "d no cells": ("ipynb", notebook()),
        "e right": right + "\n# my own",
        "f another lesson": solutions["01"],
        "g stubs": source.stubbed(sources["02"]),
        "h hangs": right + "\n# %%\ndef response_labels(*_):\n    while True:\n        pass\n",
        "i crashes": right + "\n# %%\nimport os\ndef pack(*_):\n    os._exit(0)\n",
        "j crashes at import": right + "\n# %%\nimport os\nos._exit(1)\n",
        "k missing": right + "\n# %%\ndel render_chatml\n",
        "l not text": ("ipynb", b"\xff\xfe\x00\x00\xd8"),
        "m a list": ("ipynb", "[1, 2]"),
        "n raises": right + "\n# %%\ndef response_labels(*_):\n    raise ValueError('no')\n",
        "o half": ("ipynb", notebook("1 / 0", "def f(:", right)),
        "p hangs at import": "while True:\n    pass\n# %%\n" + right,
        "q last right": right + "\n# really",
    }
    folder = tmp_path_factory.mktemp("class")
    for student, code in codes.items():
        ending, text = code if isinstance(code, tuple) else ("py", code)
        data = text if isinstance(text, bytes) else text.encode()
        (folder / f"{student}.{ending}").write_bytes(data)
    return folder


def graded_by_ift(submissions, out):
    grade_class(submissions, out, GradingConfig(GradingPlan("02"), TIMES))
    return {
        (x.student, check.id.partition("/")[2]): check.status
        for x in gradebook.load(out).grades
        for check in x.checks
    }


def graded_by_pytest(submissions, out, *arguments):
    report = out / "junit.xml"
    limits = f"--ift-timeout={TIMES.check}", f"--ift-cell-timeout={TIMES.cell}"
    run = run_pytest(out, "--pyargs", "ift_course.lessons", "--ift-submissions", str(submissions),
                     "-q", f"--junitxml={report}", *limits, *arguments)  # fmt: skip
    assert run.returncode in (0, 1), run.stdout + run.stderr
    statuses = {}
    for case in ElementTree.parse(report).iter("testcase"):
        check, _, student = case.get("name").removesuffix("]").partition("[")
        problems = [x for x in case if x.tag in ("failure", "error", "skipped")]
        first = problems[0].text.splitlines()[0] if problems else "(passed)"
        statuses[student, check] = first.rpartition("(")[2].removesuffix(")")
    return statuses


@pytest.fixture(scope="module")
def verdicts(submissions, tmp_path_factory):
    return graded_by_ift(submissions, tmp_path_factory.mktemp("gradebook"))


@pytest.mark.slow
def test_both_ways_say_the_same_of_every_check_of_everybody(submissions, verdicts, tmp_path):
    by_pytest = graded_by_pytest(submissions, tmp_path, "-k", "lesson_02")
    assert len(by_pytest) == len(verdicts) > 17 * 40
    assert by_pytest == verdicts


@pytest.mark.slow
def test_the_class_holds_every_kind_of_verdict(verdicts):
    statuses = set(verdicts.values())
    assert {
        "passed",
        "error",
        "not yet",
        "missing",
        "timeout",
        "crashed",
        "needs review",
    } <= statuses
    by_student = {}
    for (student, _), status in verdicts.items():
        by_student.setdefault(student, set()).add(status)
    for student in ("a right", "e right", "q last right"):
        assert by_student[student] == {"passed"}
    for student in ("b no notebook", "c empty file", "l not text", "m a list", "d no cells"):
        assert "passed" not in by_student[student]


@pytest.mark.slow
def test_a_choice_of_checks_runs_only_those(submissions, verdicts, tmp_path):
    by_pytest = graded_by_pytest(submissions, tmp_path, "-k", "lesson_02 and test_1 and right")
    assert by_pytest and set(x for x, _ in by_pytest) == {"a right", "e right", "q last right"}
    assert by_pytest == {key: verdicts[key] for key in by_pytest}


FOREIGN = """
import pytest


def pytest_addoption(parser):
    for name in ("--seed", "--learner", "--submissions"):
        parser.addoption(name, default="theirs")


@pytest.fixture
def learner(request):
    return request.config.getoption("--learner")
"""
FOREIGN_TESTS = """
import sys

import pytest


def worthy(function):
    function.points = 3
    return function


@worthy
def test_learner(learner, request):
    assert learner == "theirs"
    assert request.config.getoption("--seed") == "17"


@pytest.mark.parametrize("learner", ["b", "a"])
def test_order(learner):
    assert learner in "ab"


def test_nothing_heavy_is_loaded():
    assert not {"torch", "ift_course.grading.sandbox", "psutil"} & set(sys.modules)
"""


@pytest.mark.parametrize("also", [[], ["--ift-submissions", "."]], ids=["without", "with"])
def test_another_project_keeps_its_options_fixtures_and_order(tmp_path, also):
    (tmp_path / "conftest.py").write_text(FOREIGN)
    (tmp_path / "test_theirs.py").write_text(FOREIGN_TESTS)
    run = run_pytest(tmp_path, "--seed", "17", "-v", *also)
    assert run.returncode == 0 and "4 passed" in run.stdout, run.stdout + run.stderr
    assert run.stdout.index("test_order[b]") < run.stdout.index("test_order[a]")


def test_a_folder_that_is_not_there_is_a_sentence_and_no_traceback(tmp_path):
    run = run_pytest(tmp_path, "--pyargs", "ift_course.lessons", "-k", "lesson_02",
                     "--ift-submissions", "nowhere")  # fmt: skip
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert "nothing at nowhere" in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr
