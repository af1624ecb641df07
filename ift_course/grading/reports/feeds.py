"""JUnit XML and Gradescope's results, for other programs."""

import json
from collections import Counter
from xml.etree import ElementTree

from ift_course.grading.gradebook import CheckGrade, Grade, Gradebook

TAGS = {"passed": "", "needs review": "error", "not graded": "skipped"}


def junit(book: Gradebook) -> str:
    """A suite for each student, a case for each check. A failure is the student's, an error not."""
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
                ElementTree.SubElement(case, tag, message=status).text = said(check)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def gradescope(grade: Grade) -> str:
    """What Gradescope's autograder reads as results.json."""
    tests = [
        {"name": f"{exercise.id} {check.title}", "score": check.earned, "max_score": check.worth,
         "status": "passed" if check.status == "passed" else "failed", "output": said(check),
         "output_format": "text", "visibility": "after_published" if check.hidden else "visible"}
        for exercise in grade.exercises for check in exercise.checks
    ]  # fmt: skip
    told = {"score": grade.total, "output": "; ".join(grade.line.get("notes", [])),
            "output_format": "text", "stdout_visibility": "hidden", "tests": tests}  # fmt: skip
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def said(check: CheckGrade) -> str:
    """What a student may read about one check: of a hidden one, only whether it passed."""
    if check.status == "passed":
        return ""
    if check.hidden:
        return "This check is hidden: not passed."
    parts = [check.line["message"] or check.status]
    for name in ("given", "expected", "got"):
        if text := check.line[name]:
            parts.append(f"{name}: {text}")
    if line := check.line["line"]:
        parts.append(f"your line: {line}")
    return "\n".join(parts)
