"""A class is graded whole, whatever kills the run, and only what changed is graded again."""

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ift_course.errors import CourseError
from ift_course.grading import gradebook
from ift_course.grading.grade import grade_class
from ift_course.grading.plan import GradingPlan
from ift_course.grading.pool import GradingConfig
from ift_course.grading.preload import modules_to_preload
from tests.grading import a_class


def totals(out):
    return {x.student: x.total for x in gradebook.load(out).grades}


def written(out):
    """Every report but the overview, which shows times."""
    paths = [x for x in out.rglob("*") if x.suffix in (".csv", ".html", ".md", ".xml", ".json")]
    return {str(x.relative_to(out)): x.read_bytes() for x in paths if x.name != "overview.html"}


def test_everyone_gets_their_points_and_nothing_is_graded_twice(tmp_path):
    expected = a_class.make(tmp_path / "class", 5)
    a_class.grade(tmp_path / "class", tmp_path / "out", jobs=2)
    assert totals(tmp_path / "out") == expected
    before = written(tmp_path / "out"), (tmp_path / "out" / "results.jsonl").read_bytes()
    again = []
    a_class.grade(tmp_path / "class", tmp_path / "out", on_done=again.append)
    assert again == []
    assert before == (written(tmp_path / "out"), (tmp_path / "out" / "results.jsonl").read_bytes())


def test_only_changed_work_is_graded_again(tmp_path):
    expected = a_class.make(tmp_path / "class", 4)
    a_class.grade(tmp_path / "class", tmp_path / "out")
    (tmp_path / "class" / "student0001.py").write_text(a_class.RIGHT)
    again = []
    a_class.grade(tmp_path / "class", tmp_path / "out", on_done=again.append)
    assert [x.student for x in again] == ["student0001"]
    assert totals(tmp_path / "out") == expected | {"student0001": 7}


def test_a_changed_check_regrades_its_exercise_and_says_who_moves(tmp_path):
    a_class.make(tmp_path / "class", 2)
    shutil.copytree(a_class.FOLDER, tmp_path / "checks")
    config = GradingConfig(GradingPlan("90", folder=tmp_path / "checks"))
    grade_class(tmp_path / "class", tmp_path / "out", config)
    path = tmp_path / "checks" / "lesson_90" / "test_1_response_labels.py"
    path.write_text(path.read_text().replace("[-100] * prompt", "[0] * prompt"))
    from ift_course.exercises import catalog

    catalog._checks.cache_clear()
    moved = []
    config = GradingConfig(GradingPlan("90", folder=tmp_path / "checks"))
    grade_class(tmp_path / "class", tmp_path / "out", config, on_done=moved.append)
    check = "90.1/test_prompt_has_no_label"
    statuses = {x.student: (x.before[check]["status"], x.after[check]["status"]) for x in moved}
    assert statuses == {"student0000": ("passed", "failed"), "student0001": ("failed", "passed")}


@pytest.mark.slow
def test_killed_at_random_moments_and_resumed_it_gives_the_same_bytes(tmp_path):
    a_class.make(tmp_path / "class", 12)
    command = [sys.executable, a_class.__file__, str(tmp_path / "class")]
    root = str(Path(__file__).parents[2])
    subprocess.run([*command, str(tmp_path / "whole")], check=True, cwd=root)
    moments = random.Random(0)
    for _ in range(4):
        run = subprocess.Popen([*command, str(tmp_path / "broken"), "2"], cwd=root)
        time.sleep(moments.uniform(0.3, 2))
        run.send_signal(signal.SIGKILL)
        run.wait()
    subprocess.run([*command, str(tmp_path / "broken"), "2"], check=True, cwd=root)
    assert written(tmp_path / "whole") == written(tmp_path / "broken")
    assert len(totals(tmp_path / "broken")) == 12


@pytest.mark.slow
def test_an_instructors_hidden_checks_are_run_and_stay_hidden(tmp_path):
    lesson = tmp_path / "hidden" / "lesson_01"
    lesson.mkdir(parents=True)
    code = '''
from ift_course.exercises import points
from ift_course.exercises.compare import equal
from ift_course.exercises.handles import Handle

@points(5)
def test_a_secret(learner):
    """Longer prompts are no trouble."""
    model = Handle("next_token_table", {"rows": [[0.0, 1.0], [1.0, 0.0]]})
    equal(learner.greedy_decode(model, [0, 1] * 9, 2, 77), [0, 1])
'''
    (lesson / "test_3_greedy_decode.py").write_text(code)
    (tmp_path / "class").mkdir()
    spy = f"""
import glob
found = []
for path in glob.glob({str(tmp_path)!r} + "/**", recursive=True):
    try:
        found.append(open(path).read())
    except OSError:
        pass
seen = []
def greedy_decode(model, prompt, most, end):
    seen.append(end)
    raise RuntimeError(repr(found))
def sample_nucleus(*_):
    raise RuntimeError(repr(seen))
"""
    (tmp_path / "class" / "eve.py").write_text(spy)
    from ift_course.grading import reports

    config = GradingConfig(GradingPlan("01", tmp_path / "hidden"))
    grade_class(tmp_path / "class", tmp_path / "out", config)
    book = gradebook.load(tmp_path / "out")
    reports.write(book, tmp_path / "out")
    [check] = [x for x in book.find("eve").checks if x.hidden]
    assert (check.id, check.status, check.points) == ("01.3/hidden:test_a_secret", "error", 5)
    assert "Longer prompts" not in check.outcome.message and "[]" in check.outcome.message
    for path in (tmp_path / "out" / "feedback").iterdir():
        text = path.read_text()
        assert "a_secret" not in text and "77" not in text and "RuntimeError: []" in text


def test_a_hidden_check_that_the_solution_fails_stops_the_grading(tmp_path):
    lesson = tmp_path / "hidden" / "lesson_01"
    lesson.mkdir(parents=True)
    (lesson / "test_3_greedy_decode.py").write_text(
        "from ift_course.exercises import points\n"
        "@points(1)\ndef test_wrong(learner):\n    assert 0\n"
    )
    a_class.make(tmp_path / "class", 1)
    with pytest.raises(CourseError, match=r"test_wrong.*solution"):
        grade_class(
            tmp_path / "class",
            tmp_path / "out",
            GradingConfig(GradingPlan("01", tmp_path / "hidden")),
        )


def test_hidden_checks_are_refused_where_files_are_not_protected(tmp_path):
    checks = tmp_path / "checks" / "lesson_90"
    checks.mkdir(parents=True)
    [public] = (a_class.FOLDER / "lesson_90").glob("test_*.py")
    (checks / public.name).write_text(public.read_text().replace("(2)", "(2, hidden=True)"))
    a_class.make(tmp_path / "class", 1)
    plan = GradingPlan("90", folder=tmp_path / "checks")
    config = GradingConfig(plan, layers=("namespaces",), bubblewrap=False)
    with pytest.raises(CourseError, match="hidden"):
        grade_class(tmp_path / "class", tmp_path / "out", config)
    grade_class(tmp_path / "class", tmp_path / "out", config, allow_exposed_checks=True)
    assert totals(tmp_path / "out") == {"student0000": 7}


def test_what_is_loaded_for_everyone_is_what_somebody_imports():
    assert "torch" not in modules_to_preload(
        [b'"""Works without torch."""', b"# from a talk on\ntorch = 1"]
    )
    assert "torch" in modules_to_preload([b'{"source": ["import os, torch\\n"]}'])
    assert "torch" in modules_to_preload([b"from torch.nn import functional"])
    assert "torch" in modules_to_preload([b'learner.kl_regularized(Handle("model"))'])


def spoil(path):
    path.unlink()
    path.write_text("raise RuntimeError\n")


def vanish(path):
    path.unlink()


def lock(path):
    path.chmod(0)


@pytest.mark.slow
@pytest.mark.parametrize("harm", [spoil, vanish, lock])
def test_all_work_is_read_before_any_students_code_runs(tmp_path, harm):
    expected = a_class.make(tmp_path / "class", 4)

    def on_done(progress):
        for path in list((tmp_path / "class").iterdir()):
            harm(path)

    a_class.grade(tmp_path / "class", tmp_path / "out", on_done=on_done)
    assert totals(tmp_path / "out") == expected


def forge(path):
    with open(path, "a") as file:
        file.write('{"kind": "verdict", "student": "student0001", "status": "passed"}\n')


def empty(path):
    path.write_text("")


def replace(path):
    path.with_name("other").write_text("")
    path.with_name("other").rename(path)


def open_to_all(path):
    path.chmod(0o666)


@pytest.mark.slow
@pytest.mark.parametrize("harm", [forge, empty, replace, vanish, open_to_all])
def test_results_that_something_else_touched_are_restored_and_it_is_said(tmp_path, harm):
    expected = a_class.make(tmp_path / "class", 4)
    results = tmp_path / "out" / "results.jsonl"
    modes = []

    def on_done(progress):
        if progress.number == 2:
            modes.append(results.stat().st_mode)
            harm(results)

    with pytest.raises(CourseError, match="restored"):
        a_class.grade(tmp_path / "class", tmp_path / "out", on_done=on_done)
    assert [results.stat().st_mode] == modes
    again = []
    a_class.grade(tmp_path / "class", tmp_path / "out", on_done=again.append)
    assert again == [] and totals(tmp_path / "out") == expected


def test_where_code_could_write_files_changed_overrides_are_named(tmp_path):
    a_class.make(tmp_path / "class", 2)
    config = GradingConfig(
        GradingPlan("90", folder=a_class.FOLDER), layers=("seccomp",), bubblewrap=False
    )

    def on_done(progress):
        text = "student,what,points,reason\nstudent0001,total,99,please\n"
        (tmp_path / "out" / "overrides.csv").write_text(text)

    with pytest.raises(CourseError, match=r"overrides\.csv"):
        grade_class(tmp_path / "class", tmp_path / "out", config, on_done=on_done)
