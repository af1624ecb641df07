"""What comes back to a student about a hidden check is one bit: passed, or not passed."""

import json

import pytest

from ift_course.grading import gradebook, reports
from ift_course.grading.attempt import Attempt, TimeLimits
from ift_course.grading.grade import grade_class
from ift_course.grading.plan import GradingPlan
from ift_course.grading.pool import GradingConfig
from ift_course.grading.sandbox import Died
from tests.grading import a_class
from tests.grading.test_gradebook import PLAN, submission, verdict

STATUSES = ["failed", "error", "not yet", "missing", "timeout", "crashed", "needs review"]
TELLING = {"message": "the third token was odd", "given": "ids = [7]", "expected": "[8]",
           "got": "[9]", "line": "raise ValueError", "number": 3, "seconds": 9.9,
           "advice": "Mind the odd token.", "misconception": "odd",
           "mask": {"tokens": ["odd"], "expected": [True], "got": [False]}}  # fmt: skip
FOR_STUDENTS = ("feedback/ann.html", "feedback/ann.md", "gradescope/ann.json", "junit.xml",
                "canvas.csv", "moodle.csv")  # fmt: skip


def written(folder, status, **more):
    lines = [PLAN, submission("ann"), verdict("ann", "02.1/a"), verdict("ann", "02.2/c")]
    if status:
        lines.append(verdict("ann", "02.1/b", status, **more))
    folder.mkdir()
    (folder / "results.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    book = gradebook.load(folder)
    reports.write(book, folder)
    return {name: (folder / name).read_text() for name in FOR_STUDENTS}


@pytest.mark.parametrize("status", [*STATUSES, None])
def test_no_report_for_students_tells_one_way_of_not_passing_from_another(tmp_path, status):
    plain = written(tmp_path / "plain", "failed")
    other = written(tmp_path / "other", status, **(TELLING if status else {}))
    assert other == plain


def test_feedback_says_that_a_hidden_check_passed(tmp_path):
    passed, failed = written(tmp_path / "a", "passed"), written(tmp_path / "b", "crashed")
    assert all(passed[name] != failed[name] for name in FOR_STUDENTS)
    assert "not passed" in failed["feedback/ann.md"] and "crashed" not in failed["feedback/ann.md"]
    assert "not passed" in failed["feedback/ann.html"]


def test_a_public_check_still_says_how_it_failed(tmp_path):
    lines = [PLAN, submission("ann"), verdict("ann", "02.1/a", "timeout")]
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    reports.write(gradebook.load(tmp_path), tmp_path)
    assert "took too long" in (tmp_path / "feedback" / "ann.md").read_text()


HIDDEN = '''
from ift_course.exercises import points
from ift_course.exercises.compare import equal


@points(3)
def test_secret(learner):
    """A hint."""
    equal(learner.response_labels([4141, 42, 43], 1), [-100, 42, 43])
'''
# Each does something else when it sees the hidden input; the cells do, too, when run again.
WAYS = {
    "returns": "return 'wrong'",
    "raises": "raise KeyError('the id was 4141')",
    "stub": "raise NotImplementedError",
    "crashes": "os._exit(0)",
    "hangs": "time.sleep(99)",
    "much": "return [0] * 3_000_000",
}


def test_students_whose_code_reacts_to_a_hidden_input_read_the_same(tmp_path):
    lesson = tmp_path / "hidden" / "lesson_90"
    lesson.mkdir(parents=True)
    (lesson / "test_1_response_labels.py").write_text(HIDDEN)
    (tmp_path / "class").mkdir()
    for student, reaction in WAYS.items():
        code = f"""import os, time
{a_class.RIGHT}
right = response_labels
def response_labels(ids, prompt):
    if 4141 in ids:
        {reaction}
    return right(ids, prompt)
"""
        (tmp_path / "class" / f"{student}.py").write_text(code)
    plan = GradingPlan("90", tmp_path / "hidden", folder=a_class.FOLDER)
    out = tmp_path / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ift_course.grading.reference.verify", lambda plan: None)
        grade_class(tmp_path / "class", out, GradingConfig(plan, TimeLimits(cell=3, check=1)))
    book = gradebook.load(out)
    reports.write(book, out)
    statuses = {x.student: [c.status for c in x.checks if c.hidden] for x in book.grades}
    assert len({str(x) for x in statuses.values()}) >= 4, statuses
    for pattern in ("feedback/{}.html", "feedback/{}.md", "gradescope/{}.json"):
        texts = {(out / pattern.format(x)).read_text().replace(x, "NAME") for x in WAYS}
        assert len(texts) == 1, pattern
    for name in ("moodle.csv", "canvas.csv"):
        rows = (out / name).read_text().splitlines()
        assert len({row.replace(x, "NAME") for x in WAYS for row in rows if x in row}) == 1


def test_nothing_is_noted_once_a_hidden_input_was_seen():
    class Lost:
        layers = ("rlimits",)
        close = staticmethod(lambda: None)

        def run_cell(self, number, source):
            raise Died("The code ended its own process.")

    class Box:
        new_worker = staticmethod(Lost)

    for mute in (False, True):
        attempt = Attempt(Box(), [(1, "x")], TimeLimits(), mute=mute)
        attempt.worker()
        assert bool(attempt.notes) != mute
