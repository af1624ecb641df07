"""A certificate: what an adapter scored on which exam, on one printable page that can be checked.

The page is made from a statement, a JSON object that stands in it as text. The same statement gives
the same page, byte by byte, so that a changed letter is found whether it is part of the statement
or not.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

import ift_course
from ift_course.capstone.exam import Exam, Reply
from ift_course.capstone.examine import ExamResult
from ift_course.capstone.leaderboard import render
from ift_course.capstone.packing import course_base
from ift_course.capstone.rules import DATA, Refusal
from ift_course.capstone.submission import Submission
from ift_course.capstone.suspicion import look_at_rows

KIND = "ift-course capstone certificate 1"
LARGEST_PAGE = 4 << 20  # bytes
STATEMENT = re.compile(r'<pre id="statement">\n(.*?)</pre>', re.DOTALL)

PROVES = (
    "The page is as it was written: no letter has changed since.",
    "The answers printed here earn this score on the exam of this seed.",
    "With the adapter at hand: this adapter gives these answers, to anybody who asks it.",
)
PROVES_NOT = (
    "Who trained the adapter, and whether the name is theirs. Nothing here is signed.",
    "How many exams were taken before this one was kept. An instructor's hidden exam has one try.",
    "That the adapter was trained on these rows, and for so many steps.",
    "That the model answers anything outside of the closed world.",
)


def make_statement(name: str, submission: Submission, result: ExamResult) -> dict[str, Any]:
    """What a certificate states.

    Args:
        name: Who takes the exam, as they call themselves.
        submission: The adapter, with its rows.
        result: The exam.
    """
    low, high = result.interval
    exam = result.exam
    return {
        "kind": KIND,
        "name": name,
        "title": submission.title,
        "date": datetime.now(timezone.utc).date().isoformat(),
        "package": ift_course.__version__,
        "libraries": {x: version(x) for x in ("torch", "transformers")},
        "base": course_base(),
        "sha256": submission.hashes,
        "rows": len(submission.records),
        "steps": submission.settings.steps,
        "suspicion": look_at_rows(submission.records, exam).sentence,
        "exam": {"seed": exam.seed, "questions": exam.n_questions, "sha256": exam.digest},
        "right": result.n_right,
        "interval": [round(low, 4), round(high, 4)],
        "answers": [[reply.text, reply.finished] for reply in result.replies],
    }


def to_html(statement: dict[str, Any]) -> str:
    """The page of a statement.

    Args:
        statement: What `make_statement` returned.
    """
    text = _text(statement)
    questions = _exam(statement).questions
    return render(
        "certificate.html.j2",
        statement=statement,
        text=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        data=DATA,
        answers=list(zip(questions, statement["answers"], strict=True)),
        proves=PROVES,
        proves_not=PROVES_NOT,
    )


def read_statement(page: str) -> dict[str, Any]:
    """The statement in a page, which may be anything.

    Args:
        page: The HTML.

    Raises:
        Refusal: There is no statement of this kind.
    """
    match = STATEMENT.search(page)
    try:
        statement = json.loads(html.unescape(match[1])) if match else None
    except (ValueError, RecursionError):
        statement = None
    if not isinstance(statement, dict) or statement.get("kind") != KIND:
        raise Refusal("certificate", "This is no certificate of the capstone, or its statement is "
                      "damaged; give the HTML file that `ift exam` wrote.")  # fmt: skip
    return statement


def replies_of(statement: dict[str, Any]) -> list[Reply]:
    """The answers that a statement holds."""
    return [Reply(text, finished) for text, finished in statement["answers"]]


def _exam(statement: dict[str, Any]) -> Exam:
    return Exam(statement["exam"]["seed"], statement["exam"]["questions"])


def _text(statement: dict[str, Any]) -> str:
    return json.dumps(statement, indent=1, ensure_ascii=False, sort_keys=True)
