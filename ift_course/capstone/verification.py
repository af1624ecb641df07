"""The check of a certificate: offline, from the page alone, or with the adapter, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ift_course
from ift_course.capstone import certificate
from ift_course.capstone.exam import Exam, Reply
from ift_course.capstone.examine import ExamResult, examine_own
from ift_course.capstone.packing import course_base
from ift_course.capstone.rules import PARTS, Refusal
from ift_course.capstone.submission import Submission

# Another processor or version of PyTorch rounds differently, and a few answers may turn over.
MOST_CHANGED = 0.03


@dataclass
class Verification:
    """What was checked, and what was wrong.

    Attributes:
        passed: What holds, in sentences.
        failed: What does not.
        notes: What could not be decided.
    """

    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def record(self, holds: bool, yes: str, no: str) -> bool:
        """Note the result of one check, and return it.

        Args:
            holds: The result.
            yes: The sentence if it holds.
            no: The sentence if it does not.
        """
        (self.passed if holds else self.failed).append(yes if holds else no)
        return holds


def verify_page(path: Path, submission: Submission | None = None) -> Verification:
    """Check a certificate.

    Args:
        path: The HTML file.
        submission: The adapter that it is about; None checks the page alone.

    Raises:
        Refusal: The file is no certificate.
    """
    from jinja2 import TemplateError

    page = _read(path)
    statement = certificate.read_statement(page)
    result = Verification()
    try:
        _check_page(page, statement, result)
    except (KeyError, TypeError, ValueError, AttributeError, TemplateError):
        result.failed.append("The statement lacks something, or holds something of another form.")
    if submission is not None and not result.failed:
        _check_adapter(statement, submission, result)
    return result


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > certificate.LARGEST_PAGE:
            raise Refusal("certificate", f"{path} is too large for a certificate.")
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise Refusal("certificate", f"{path} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise Refusal("certificate", f"{path} is no certificate: it is no text in UTF-8.") from None


def _check_page(page: str, statement: dict[str, Any], result: Verification) -> None:
    package, ours = statement["package"], ift_course.__version__
    if package != ours or statement["base"] != course_base():
        result.failed.append(
            f"It was made with ift_course {package} and the base {statement['base']}; this is "
            f"{ours} with {course_base()}. Install that version and verify again."
        )
        return
    result.record(
        certificate.to_html(statement) == page,
        "Every byte of the page is what its statement gives.",
        "The page has been changed: it is not what its statement gives.",
    )
    exam = Exam(statement["exam"]["seed"], statement["exam"]["questions"])
    result.record(
        exam.digest == statement["exam"]["sha256"],
        f"The exam of the seed {exam.seed} is the one that the page names.",
        f"The exam of the seed {exam.seed} is another one than the page names.",
    )
    scored = ExamResult(exam, certificate.replies_of(statement))
    interval = [round(x, 4) for x in scored.interval]
    result.record(
        scored.n_right == statement["right"] and interval == statement["interval"],
        f"The printed answers earn {scored.n_right} of {exam.n_questions}.",
        f"The printed answers earn {scored.n_right} of {exam.n_questions}, and the page says "
        f"{statement['right']}.",
    )


def _check_adapter(statement: dict[str, Any], submission: Submission, result: Verification) -> None:
    hashes = submission.hashes
    wrong = [name for name in PARTS if statement["sha256"].get(name) != hashes[name]]
    if not result.record(
        not wrong,
        "Adapter, rows, settings and report have the hashes that the page names.",
        f"Other files than the page names: {', '.join(wrong)}.",
    ):
        return
    exam = Exam(statement["exam"]["seed"], statement["exam"]["questions"])
    before, now = certificate.replies_of(statement), examine_own(submission.files, exam).replies
    changed = n_changed(before, now)
    result.record(
        changed <= MOST_CHANGED * exam.n_questions,
        "The adapter gives the printed answers again."
        if not changed
        else f"The adapter gives the printed answers again, but for {changed} of "
        f"{exam.n_questions}, which rounding explains.",
        f"The adapter gives {changed} of {exam.n_questions} answers that are not printed here.",
    )
    score = ExamResult(exam, now).n_right
    result.passed.append(f"Asked again, it scores {score} of {exam.n_questions}.")


def n_changed(before: Sequence[Reply], now: Sequence[Reply]) -> int:
    """The number of questions with another reply.

    Args:
        before: The replies.
        now: Those of another time.
    """
    return sum(a != b for a, b in zip(before, now, strict=True))
