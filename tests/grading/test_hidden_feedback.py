"""What comes back to a student about a hidden check is one bit: passed, or not passed."""

import json

import pytest

from ift_course.grading import gradebook, reports
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


def test_passing_is_told(tmp_path):
    passed, failed = written(tmp_path / "a", "passed"), written(tmp_path / "b", "crashed")
    assert all(passed[name] != failed[name] for name in FOR_STUDENTS)
    assert "not passed" in failed["feedback/ann.md"] and "crashed" not in failed["feedback/ann.md"]
    assert "not passed" in failed["feedback/ann.html"]


def test_a_public_check_still_says_how_it_failed(tmp_path):
    lines = [PLAN, submission("ann"), verdict("ann", "02.1/a", "timeout")]
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    reports.write(gradebook.load(tmp_path), tmp_path)
    assert "took too long" in (tmp_path / "feedback" / "ann.md").read_text()
