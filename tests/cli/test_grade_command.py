"""`ift grade` and `ift regrade` say in one sentence what is wrong, and show what was found."""

import json

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from tests.grading.trees import course


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class of two in lesson 02, graded: (folder, output)."""
    home = tmp_path_factory.mktemp("graded")
    for name, value in (("jane", "ids"), ("joe", "None")):
        (home / "class" / name).mkdir(parents=True)
        code = f"def response_labels(ids, mask):\n    return {value}\n"
        (home / "class" / name / "02.py").write_text(code)
    (home / "roster.csv").write_text("student,name\njane,Jane Doe\nzoe,Zoe Zen\n")
    result = run("grade", home / "class", "--lesson", "02", "--out", home / "out",
                "--roster", home / "roster.csv", "--jobs", "1")  # fmt: skip
    assert result.exit_code == 0, result.output
    return home, result.output


def run(*arguments):
    return CliRunner().invoke(app, [str(x) for x in arguments])


@pytest.mark.slow
def test_it_sums_up_and_writes_every_report(graded):
    home, output = graded
    assert "2 graded now" in output and "1 missing" in output
    names = {x.name for x in (home / "out").iterdir()}
    assert names >= {"gradebook.csv", "overview.html", "feedback", "canvas.csv", "moodle.csv",
                     "junit.xml", "gradescope", "results.jsonl", "roster.csv"}  # fmt: skip


def test_one_student_is_explained_as_the_student_will_see_it(graded):
    home, _ = graded
    result = run("grade", "--explain", "Jane Doe", "--out", home / "out")
    assert result.exit_code == 0 and "Jane Doe" in result.output and "points" in result.output


def test_regrade_without_a_change_runs_nothing_and_reads_overrides_anew(graded):
    home, _ = graded
    overrides = "student,what,points,reason\njane,total,5,viva\n"
    (home / "out" / "overrides.csv").write_text(overrides)
    result = run("regrade", home / "out")
    assert result.exit_code == 0 and "nothing was run" in result.output
    assert "jane,Jane Doe,,graded,5," in (home / "out" / "gradebook.csv").read_text()


@pytest.mark.slow
def test_regrade_says_who_moves(graded):
    home, _ = graded
    path = home / "out" / "results.jsonl"
    lines = [json.loads(x) for x in path.read_text().splitlines()]
    old = next(x for x in lines if x.get("student") == "jane" and x["kind"] == "verdict")
    with open(path, "a") as file:
        file.write(json.dumps(old | {"key": "of an older check", "status": "passed"}) + "\n")
    result = run("regrade", home / "out")
    assert f"{old['check']} passed → {old['status']}" in result.output.replace("\n", "")


@pytest.mark.parametrize(("arguments", "message"), [
    (["grade"], "--lesson 02"),
    (["grade", "nowhere", "--lesson", "02"], "There is nothing at nowhere"),
    (["grade", ".", "--lesson", "77"], "Lesson 77 has no checks"),
    (["regrade", "nowhere"], "ift grade"),
    (["grade", "--explain", "x", "--out", "nowhere"], "Nothing has been graded"),
])  # fmt: skip
def test_a_mistake_is_one_sentence(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output.replace("\n", "") and "Traceback" not in result.output


CODE = "def response_labels(ids, mask):\n    return {}\n"


@pytest.fixture
def sections(tmp_path):
    """A class in two sections, which may be read as two students."""
    for place in ("A/ann", "A/bo", "B/cy", "B/di"):
        (tmp_path / "all" / place).mkdir(parents=True)
        (tmp_path / "all" / place / "02.py").write_text(CODE.format(repr(place)))
    (tmp_path / "all" / "notes.csv").write_text("x")
    return tmp_path


@pytest.mark.slow
def test_a_doubtful_layout_is_asked_about_and_nothing_is_graded(sections):
    arguments = ("grade", sections / "all", "--lesson", "02", "--out", sections / "out")
    result = run(*arguments)
    assert result.exit_code == 2 and "--student-level 2" in result.output
    assert not (sections / "out" / "results.jsonl").exists()
    assert run(*arguments, "--yes").exit_code == 0
    result = run(*arguments, "--student-level", "2", "--json")
    report = json.loads(result.stdout)
    assert [x["student"] for x in report["students"]] == ["ann", "bo", "cy", "di"]
    assert report["files"] == 5 and report["files_used"] == 4
    assert [x["file"] for x in report["files_unused"]] == ["notes.csv"]
    result = run("regrade", sections / "out")
    assert result.exit_code == 0 and "nothing was run" in result.output
    assert "1 file was not used" in result.output


@pytest.mark.slow
def test_what_cannot_be_read_is_on_the_console_with_its_reason(tmp_path):
    (tmp_path / "all" / "ann").mkdir(parents=True)
    (tmp_path / "all" / "ann" / "hw.pdf").write_bytes(b"%PDF")
    (tmp_path / "all" / "bo.py").write_text(CODE.format("ids"))
    result = run("grade", tmp_path / "all", "--lesson", "02", "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "Look at ann: No notebook and no Python file was handed in" in result.output


@pytest.mark.slow
def test_a_regrade_after_changed_points_names_whom_it_moves(tmp_path):
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "ann.ipynb").write_bytes(course("solutions"))
    run("grade", tmp_path / "all", "--lesson", "02", "--out", tmp_path / "out")
    path = tmp_path / "out" / "results.jsonl"
    lines = [json.loads(x) for x in path.read_text().splitlines()]
    old = next(x for x in lines if x["kind"] == "verdict" and x["status"] == "passed")
    with open(path, "a") as file:
        file.write(json.dumps(old | {"key": "older", "points": old["points"] + 1}) + "\n")
    result = run("regrade", tmp_path / "out")
    assert f"ann: -1 point ({old['check']} {old['points'] + 1} → {old['points']} points)" in (
        result.output
    )


@pytest.mark.slow
def test_a_seed_that_nobody_named_is_drawn_once_and_kept(tmp_path):
    (tmp_path / "class" / "jane").mkdir(parents=True)
    (tmp_path / "class" / "jane" / "02.py").write_text("def collate(rows, pad):\n    return rows\n")

    def seed(out: str, *more: str) -> str:
        done = run("grade", tmp_path / "class", "--lesson", "02", "--out", tmp_path / out,
                   "--jobs", "1", *more)  # fmt: skip
        assert done.exit_code == 0, done.output
        return json.loads((tmp_path / out / "settings.json").read_text())["seed"]

    first = seed("a")
    assert len(first) == 8 and seed("b") != first
    assert seed("a") == first
    assert seed("a", "--seed", "spring") == "spring" == seed("a")


@pytest.mark.parametrize(
    ("option", "value"),
    [("--late-percent", "-5"), ("--late-most", "nan"), ("--grace-minutes", "inf"),
     ("--timeout", "inf"), ("--cell-timeout", "nan"), ("--jobs", "0"), ("--memory", "1")],
)  # fmt: skip
def test_a_limit_out_of_its_range_is_refused_before_anything_is_graded(option, value, tmp_path):
    done = run("grade", tmp_path, "--lesson", "02", "--out", tmp_path / "out", option, value)
    assert done.exit_code == 2 and option in done.output
    assert not (tmp_path / "out").exists()
