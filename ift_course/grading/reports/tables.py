"""CSV for a spreadsheet, for Canvas and for Moodle."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ift_course.grading.gradebook import Gradebook, StudentGrade


def gradebook(book: Gradebook) -> str:
    """A row for each student: who, status, totals, then each exercise and each check."""
    exercises = book.plan["exercises"]
    checks = [check["id"] for x in exercises for check in x["checks"]]
    head = ["student", "name", "email", "status", "total", "worth", "before lateness", "days late",
            *(x["id"] for x in exercises), *checks, *(f"{x} status" for x in checks),
            "overrides", "flags", "notes", "isolation", "file"]  # fmt: skip
    return csv_text(head, (_row(x) for x in book.grades))


def _row(grade: StudentGrade) -> list[Any]:
    submission = grade.submission
    return [
        grade.student, grade.name, grade.person.get("email", ""), grade.status, grade.total,
        grade.points, grade.earned, grade.days_late, *(x.earned for x in grade.exercises),
        *(x.earned for x in grade.checks), *(x.status for x in grade.checks),
        "; ".join(grade.overrides), " ".join(grade.flags),
        "; ".join(grade.notes), " ".join(submission["rungs"] if submission else []),
        submission["source"] if submission else "",
    ]  # fmt: skip


def files(book: Gradebook) -> str:
    """A row for each file that was handed in: whose it is, and why it was not used."""
    rows = []
    for account in book.accounts:
        rows += [[file, student, "used", ""] for file, student in account["used"]]
        rows += [[file, who, "not used", reason] for file, who, reason in account["unused"]]
    return csv_text(["file", "student", "use", "reason"], sorted(rows))


def canvas(book: Gradebook) -> str:
    """The file that Canvas imports as grades: its five columns of names, then the assignment."""
    assignment = f"Lesson {book.plan['lesson']}"
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", assignment]
    possible = ["    Points Possible", "", "", "", "", book.points]
    rows = (
        [x.name, _platform_id(x, "canvas_id"),
         x.person.get("sis_id", ""), x.person.get("login", ""), x.person.get("section", ""),
         x.total]
        for x in book.grades
    )  # fmt: skip
    return csv_text(head, [possible, *rows])


def moodle(book: Gradebook) -> str:
    """Moodle's offline grading worksheet."""
    head = ["Identifier", "Full name", "Email address", "Grade", "Maximum grade",
            "Feedback comments"]  # fmt: skip
    rows = (
        [f"Participant {_platform_id(x, 'moodle_id')}", x.name,
         x.person.get("email", ""), x.total, book.points, _summary(x)]
        for x in book.grades
    )  # fmt: skip
    return csv_text(head, rows)


def _platform_id(grade: StudentGrade, column: str) -> str:
    """The roster's, or the key of the submission; a group's key is nobody's own."""
    line = grade.submission
    shared = (line and line.get("members")) or grade.person.get("group")
    key = line["student"] if line and not shared else grade.student
    return grade.person.get(column) or key


def _summary(grade: StudentGrade) -> str:
    if not grade.submission:
        return "Nothing was handed in."
    return "; ".join(f"{x.id} {x.title}: {x.earned:g} of {x.points:g}" for x in grade.exercises)


def csv_text(head: list[str], rows: Iterable[list[Any]]) -> str:
    """A table in which nothing is a formula.

    Args:
        head: The names of the columns.
        rows: Texts and numbers.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def _harmless(cell: Any) -> str:
    """The content of a cell, with a quote before text that a spreadsheet would run as a formula."""
    if not isinstance(cell, str):
        return f"{cell:g}"
    return f"'{cell}" if cell.lstrip()[:1] in ("=", "+", "-", "@") and cell.lstrip() else cell
