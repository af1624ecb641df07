import pytest
from typer.testing import CliRunner

from ift_course.cli import app


def ift(*words):
    return CliRunner().invoke(app, list(words))


def test_build_writes_the_executed_notebook_and_check_accepts_it(course):
    course.lesson("01_fine")
    assert ift("build").exit_code == 0
    assert '"42"' in (course.notebooks / "01_fine.ipynb").read_text()
    assert ift("build", "--check").exit_code == 0


def test_building_twice_gives_the_same_bytes(course):
    course.lesson("01_fine")
    notebook = course.notebooks / "01_fine.ipynb"
    assert ift("build").exit_code == 0
    first = notebook.read_bytes()
    assert ift("build").exit_code == 0
    assert notebook.read_bytes() == first


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("6 * 7", "6 * 8"), "cell 2 of"),
        (("A fine lesson", "A finer lesson"), "cell 1 of"),
        (("x = 6", "x = 6\n\n# %%\ny = 6"), "has 2 cells and its source 3"),
    ],
)
def test_check_says_what_differs_and_what_to_run(course, change, says):
    course.lesson("01_fine")
    assert ift("build").exit_code == 0
    source = (course.notebooks / "01_fine.py").read_text()
    course.lesson("01_fine", source.replace(*change))
    result = ift("build", "--check")
    assert result.exit_code == 1
    assert says in result.stderr and "run: ift build 01" in result.stderr


def test_check_reports_a_missing_notebook(course):
    course.lesson("01_fine")
    result = ift("build", "--check")
    assert result.exit_code == 1
    assert "01_fine.ipynb is missing; run: ift build 01" in result.stderr


def test_a_lesson_that_fails_leaves_the_committed_notebook_as_it_was(course):
    course.lesson("01_fine")
    assert ift("build").exit_code == 0
    before = (course.notebooks / "01_fine.ipynb").read_bytes()
    course.lesson("01_fine", "# %%\n1 / 0\n")
    assert ift("build").exit_code == 1
    assert (course.notebooks / "01_fine.ipynb").read_bytes() == before


def test_outside_a_clone_build_says_so(course, monkeypatch):
    course.lesson("01_fine")
    monkeypatch.setattr("ift_course.paths.checkout", lambda: None)
    result = ift("build")
    assert result.exit_code == 2
    assert "Notebooks are built in a clone of the course" in result.stderr
