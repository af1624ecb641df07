"""`ift grade` and `ift regrade` say in one sentence what is wrong, and show what was found."""

import json

import pytest
from typer.testing import CliRunner

from ift_course.cli import app


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class of two in lesson 02, graded: (folder, output)."""
    home = tmp_path_factory.mktemp("graded")
    for name, value in (("jane", "ids"), ("joe", "None")):
        (home / "class" / name).mkdir(parents=True)
        code = f"def response_labels(ids, mask):\n    return {value}\n"
        (home / "class" / name / "02.py").write_text(code)
    (home / "roster.csv").write_text("student,name\njane,Jane Doe\nzoe,Zoe Zen\n")
    found = run("grade", home / "class", "--lesson", "02", "--out", home / "out",
                "--roster", home / "roster.csv", "--jobs", "1")  # fmt: skip
    assert found.exit_code == 0, found.output
    return home, found.output


def run(*arguments):
    return CliRunner().invoke(app, [str(x) for x in arguments])


def test_it_sums_up_and_writes_every_report(graded):
    home, output = graded
    assert "2 graded now" in output and "1 missing" in output
    names = {x.name for x in (home / "out").iterdir()}
    assert names >= {"gradebook.csv", "overview.html", "feedback", "canvas.csv", "moodle.csv",
                     "junit.xml", "gradescope", "results.jsonl", "roster.csv"}  # fmt: skip


def test_one_student_is_explained_as_the_student_will_see_it(graded):
    home, _ = graded
    found = run("grade", "--explain", "Jane Doe", "--out", home / "out")
    assert found.exit_code == 0 and "Jane Doe" in found.output and "points" in found.output


def test_regrade_without_a_change_runs_nothing_and_reads_overrides_anew(graded):
    home, _ = graded
    overrides = "student,what,points,reason\njane,total,5,viva\n"
    (home / "out" / "overrides.csv").write_text(overrides)
    found = run("regrade", home / "out")
    assert found.exit_code == 0 and "nothing was run" in found.output
    assert "jane,Jane Doe,,graded,5," in (home / "out" / "gradebook.csv").read_text()


def test_regrade_says_who_moves(graded):
    home, _ = graded
    path = home / "out" / "results.jsonl"
    lines = [json.loads(x) for x in path.read_text().splitlines()]
    old = next(x for x in lines if x.get("student") == "jane" and x["kind"] == "verdict")
    with open(path, "a") as file:
        file.write(json.dumps(old | {"key": "of an older check", "status": "passed"}) + "\n")
    found = run("regrade", home / "out")
    assert f"{old['check']} passed → {old['status']}" in found.output.replace("\n", "")


@pytest.mark.parametrize(("arguments", "said"), [
    (["grade"], "--lesson 02"),
    (["grade", "nowhere", "--lesson", "02"], "There is nothing at nowhere"),
    (["grade", ".", "--lesson", "77"], "Lesson 77 has no checks"),
    (["regrade", "nowhere"], "ift grade"),
    (["grade", "--explain", "x", "--out", "nowhere"], "Nothing has been graded"),
])  # fmt: skip
def test_a_mistake_is_one_sentence(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    found = run(*arguments)
    assert found.exit_code == 2
    assert said in found.output.replace("\n", "") and "Traceback" not in found.output
