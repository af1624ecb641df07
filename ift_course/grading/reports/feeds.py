"""JUnit XML and Gradescope's results, for other programs."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from ift_course.grading.gradebook import CheckGrade, Gradebook, StudentGrade

TAGS = {"passed": "", "marked": "", "needs review": "error", "not graded": "skipped"}


def junit(book: Gradebook) -> str:
    """A suite for each student, a case for each check.

    A failure is the student's; an error is something that a person has to look at.

    Args:
        book: The class.
    """
    root = ElementTree.Element("testsuites", name=f"lesson {book.plan['lesson']}")
    for grade in book.grades:
        tags = Counter(TAGS.get(x.status_for_student, "failure") for x in grade.checks)
        suite = ElementTree.SubElement(
            root, "testsuite", name=grade.student, tests=str(len(grade.checks)),
            failures=str(tags["failure"]), errors=str(tags["error"]), skipped=str(tags["skipped"]),
        )  # fmt: skip
        for check in grade.checks:
            exercise, _, name = check.id.partition("/")
            case = ElementTree.SubElement(suite, "testcase", classname=exercise, name=name)
            status = check.status_for_student
            if tag := TAGS.get(status, "failure"):
                ElementTree.SubElement(case, tag, message=status).text = text_for_student(check)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def gradescope(grade: StudentGrade) -> str:
    """The file that Gradescope's autograder reads as results.json.

    Args:
        grade: The student.
    """
    tests = [
        {"name": f"{exercise.id} {check.title}", "score": check.earned, "max_score": check.points,
         "status": "passed" if _counts_as_passed(check) else "failed",
         "output": text_for_student(check), "output_format": "text",
         "visibility": "after_published" if check.hidden else "visible"}
        for exercise in grade.exercises for check in exercise.checks
    ]  # fmt: skip
    results = {"score": grade.total, "output": "; ".join(grade.notes), "output_format": "text",
               "stdout_visibility": "hidden", "tests": tests}  # fmt: skip
    return json.dumps(results, indent=1, ensure_ascii=False) + "\n"


def _counts_as_passed(check: CheckGrade) -> bool:
    """Gradescope has two colors only; a criterion that people mark is green with all its points."""
    full = check.written and check.status == "marked" and check.earned >= check.points
    return check.status == "passed" or full


def text_for_student(check: CheckGrade) -> str:
    """What a student may read about one check: of a hidden one, only whether it passed."""
    if check.status == "passed":
        return ""
    if check.status == "marked":
        return check.outcome.message
    if check.hidden:
        return "This check is hidden: not passed."
    outcome = check.outcome
    texts = {"given": outcome.given, "expected": outcome.expected, "got": outcome.got,
             "your line": outcome.line}  # fmt: skip
    details = [f"{name}: {text}" for name, text in texts.items() if text]
    return "\n".join([outcome.message or check.status, *details])
