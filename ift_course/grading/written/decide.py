"""The points that the markers agree on, as lines for the gradebook."""

from __future__ import annotations

import json
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from ift_course.disk import atomic_write_text
from ift_course.grading.written import agreement
from ift_course.grading.written.entries import POINTS, WRITTEN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ift_course.exercises.written import Criterion
    from ift_course.grading.written.entries import Entry, WrittenPoints
    from ift_course.grading.written.marks import MarksFile
    from ift_course.grading.written.sheet import AnswerSheet


@dataclass(frozen=True)
class Decision:
    """What came of the markers' files.

    Attributes:
        points: For the gradebook.
        open: What differs too much and has no third look yet: what each marker gave.
        unmarked: Answers that nobody marked.
    """

    points: WrittenPoints
    open: dict[tuple[str, str], str]
    unmarked: list[str]


def decide(sheet: AnswerSheet, files: Sequence[MarksFile]) -> Decision:
    """The points of each student: the mean of the markers', or those of the third look.

    Args:
        sheet: The answers.
        files: The markers' files, with or without one for a third look.
    """
    apart = agreement.too_far_apart(files, sheet)
    third = {key: mark for x in files if x.third_look for key, mark in x.marks.items()}
    still_open = {key: given for key, given in apart.items() if key not in third}
    students: dict[str, dict[str, Entry]] = {}
    unmarked = []
    for question in sheet.questions:
        for code, answer in sheet.of(question.id).items():
            entries = students.setdefault(answer.student, {})
            for criterion in question.rubric:
                key = code, criterion.id
                entries[f"{question.id}/{criterion.id}"] = _entry(key, files, still_open)
            if all(entries[f"{question.id}/{x.id}"]["status"] == "not graded"
                   for x in question.rubric):  # fmt: skip
                unmarked.append(code)
    for answer in sheet.blank:
        question = next(x for x in sheet.questions if x.id == answer.question)
        for criterion in question.rubric:
            entry = _nothing(answer.has_cell, answer.source)
            students.setdefault(answer.student, {})[f"{question.id}/{criterion.id}"] = entry
    exercises = [
        {"id": x.id, "title": x.title, "checks": [_check(x.id, y) for y in x.rubric]}
        for x in sheet.questions
    ]
    points: WrittenPoints = {
        "lesson": sheet.lesson, "markers": [x.marker for x in files], "exercises": exercises,
        "students": dict(sorted(students.items())),
    }  # fmt: skip
    return Decision(points, still_open, unmarked)


def _check(question: str, criterion: Criterion) -> dict[str, str | float]:
    return {"id": f"{question}/{criterion.id}", "title": criterion.says, "worth": criterion.points}


def _entry(
    key: tuple[str, str], files: Sequence[MarksFile], still_open: dict[tuple[str, str], str]
) -> Entry:
    marks = [x.marks[key] for x in files if key in x.marks and not x.third_look]
    decided = [x.marks[key] for x in files if key in x.marks and x.third_look]
    comment = "\n".join(dict.fromkeys(x.comment for x in [*decided, *marks] if x.comment))
    if key in still_open:
        return {"status": "needs review", "points": 0, "comment": ""}
    if not (decided or marks):
        return {"status": "not graded", "points": 0, "comment": ""}
    points = fmean(x.points for x in decided or marks)
    return {"status": "marked", "points": points, "comment": comment}


def _nothing(has_cell: bool, source: str) -> Entry:
    if has_cell:
        return {"status": "no answer", "points": 0, "comment": "The answer cell is empty."}
    comment = f"No answer cell was found in {source}."
    return {"status": "needs review", "points": 0, "comment": comment}


def write(decision: Decision, out: Path) -> Path:
    """Writes the points into the folder of a gradebook, where `ift regrade` finds them, too."""
    path = out / WRITTEN / POINTS
    text = json.dumps(decision.points, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    atomic_write_text(path, text)
    return path
