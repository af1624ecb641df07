"""`ift build` writes notebooks and pages, and `--check` reports stale ones."""

import json

import pytest
from typer.testing import CliRunner

from ift_course.authoring import generated_docs
from ift_course.cli import app

CLAIM = dict(id="01.toys", lesson="01", statement="Toys are fun.", source="a test", metric="fun",
             arms={"toys": [0.4, 0.6]}, of=["toys"], effect=0.5, interval=[0.4, 0.6], holds=True,
             method="over seeds", at_least=0.1, at_most=None, seconds=1, peak_mb=1)  # fmt: skip


def ift(*arguments):
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.slow
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
    ("change", "message"),
    [
        (("6 * 7", "6 * 8"), "cell 2 of"),
        (("A fine lesson", "A finer lesson"), "cell 1 of"),
        (("x = 6", "x = 6\n\n# %%\ny = 6"), "has 2 cells and its source 3"),
    ],
)
def test_check_says_what_differs_and_what_to_run(course, change, message):
    course.lesson("01_fine")
    assert ift("build").exit_code == 0
    source = (course.notebooks / "01_fine.py").read_text()
    course.lesson("01_fine", source.replace(*change))
    result = ift("build", "--check")
    assert result.exit_code == 1
    assert message in result.stderr and "run: ift build 01" in result.stderr


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


def test_what_is_published_was_measured_with_the_published_seeds(course, monkeypatch):
    course.lesson("01_fine")
    monkeypatch.setenv("IFT_SEED", "3")
    result = ift("build")
    assert result.exit_code == 2 and "unset IFT_SEED" in result.stderr


def test_build_writes_the_generated_pages_and_check_says_when_they_are_out_of_date(course):
    docs = course.notebooks.parent / "docs"
    docs.mkdir()
    readme = docs.parent / "README.md"
    readme.write_text(f"Before.\n{generated_docs.BEGIN}\nold\n{generated_docs.END}\nAfter.\n")
    course.lesson("01_fine")
    ledger = course.results / "tiny" / "claims.json"
    ledger.parent.mkdir(parents=True)
    ledger.write_text(json.dumps([CLAIM]))
    assert ift("build", "--docs").exit_code == 0
    assert not (course.notebooks / "01_fine.ipynb").exists(), "only the pages"
    assert "Toys are fun." in (docs / "claims.md").read_text()
    text = readme.read_text()
    assert text.startswith("Before.\n") and text.endswith("\nAfter.\n")
    assert "Of 1 claims measured" in text and "\nold\n" not in text
    assert ift("build", "--docs", "--check").exit_code == 0
    ledger.write_text(json.dumps([CLAIM | {"effect": 0.51}]))
    stale = ift("build", "--docs", "--check")
    assert stale.exit_code == 1
    assert "claims.md is out of date; run: ift build --docs" in stale.stderr


def test_a_course_without_a_docs_folder_has_no_generated_pages(course):
    course.lesson("01_fine")
    assert ift("build", "--docs").exit_code == 0
    assert generated_docs.expected_pages() == {}
