"""The points of written answers, beside the verdicts of the automatic checks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypedDict

from ift_course.errors import CourseError

if TYPE_CHECKING:
    from pathlib import Path

    from ift_course.grading.results import PlannedCheck, PlannedExercise, Results, VerdictLine

WRITTEN, POINTS, SHEET = "written", "points.json", "answers.json"


class Entry(TypedDict):
    """One criterion of one student.

    Attributes:
        status: "marked", "no answer", "needs review" or "not graded".
        points: Earned.
        comment: For the student.
    """

    status: str
    points: float
    comment: str


class WrittenPoints(TypedDict):
    """The content of `written/points.json`.

    Attributes:
        lesson: The lesson's number.
        markers: Whose files were read.
        exercises: The questions: id, title, and the criteria as checks (id, title, worth).
        students: By student and criterion.
    """

    lesson: str
    markers: list[str]
    exercises: list[dict]
    students: dict[str, dict[str, Entry]]


def load(folder: Path) -> WrittenPoints | None:
    """The points in the folder of a gradebook; None if no written answers were marked.

    Raises:
        CourseError: The file is damaged.
    """
    path = folder / WRITTEN / POINTS
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise CourseError(
            f"{path} is damaged; run ift grade --marks ... again to write it."
        ) from None


def add(results: Results, folder: Path) -> None:
    """Adds the questions to the plan and the points to the verdicts, as the results hold them.

    Args:
        results: Of the automatic checks; changed in place.
        folder: Of the gradebook.

    Raises:
        CourseError: The written answers are of another lesson than the checks.
    """
    points = load(folder)
    if points is None or results.plan is None:
        return
    lesson = results.plan["lesson"]
    if points["lesson"] != lesson:
        raise CourseError(
            f"{folder} has checks of lesson {lesson} and written answers of lesson "
            f"{points['lesson']}; use a gradebook for each lesson (--out)."
        )
    questions = [_exercise(x) for x in points["exercises"]]
    results.plan = {
        "kind": "plan", "lesson": lesson, "exercises": [*results.plan["exercises"], *questions],
    }  # fmt: skip
    for student, entries in points["students"].items():
        for check, entry in entries.items():
            results.verdicts[student, check] = _verdict(student, check, entry)


def unknown(results: Results, points: WrittenPoints) -> list[str]:
    """The students with written answers who are not in the results of the automatic checks."""
    return sorted(set(points["students"]) - set(results.submissions))


def _exercise(question: dict) -> PlannedExercise:
    checks: list[PlannedCheck] = [
        {"id": x["id"], "title": x["title"], "worth": x["worth"], "hidden": False, "written": True}
        for x in question["checks"]
    ]
    return {"id": question["id"], "function": "", "title": question["title"], "checks": checks}


def _verdict(student: str, check: str, entry: Entry) -> VerdictLine:
    return {
        "kind": "verdict", "student": student, "key": "", "check": check, "title": "",
        "points": entry["points"], "status": entry["status"], "message": entry["comment"],
        "seconds": 0,
    }  # fmt: skip
