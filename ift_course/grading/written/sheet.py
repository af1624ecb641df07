"""The answer sheet: what was collected, in `written/answers.json`, with a code for each answer.

Markers see the codes alone. A code is a keyed hash of the question, the student and the text, so
it tells nothing about its author, and an answer that was handed in again gets a new one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, cast

from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.exercises import written
from ift_course.grading.roster import Roster
from ift_course.grading.written.collect import StudentAnswer
from ift_course.grading.written.entries import SHEET, WRITTEN

if TYPE_CHECKING:
    from pathlib import Path

    from ift_course.exercises.written import WrittenQuestion
    from ift_course.grading.results import SubmissionLine
    from ift_course.grading.roster import Person
    from ift_course.grading.written.collect import Answers

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowel, so no word; no digit, so no spreadsheet's number
NO_NAMES = {"student", "submission", "example", "mail", "gmail", "team", "group"}
CODE = re.compile(rf"[{LETTERS}]{{4}}-[{LETTERS}]{{4}}")


@dataclass
class AnswerSheet:
    """The answers of a class to the open questions of a lesson.

    Attributes:
        lesson: The lesson's number.
        seed: The key of the codes; whoever has it and the list of students can undo them.
        answers: By code, those with text. Without text there is nothing to mark.
        blank: The others.
        past: The codes of answers that have since been handed in again.
        named: Whether markers see names.
    """

    lesson: str
    seed: str
    answers: dict[str, StudentAnswer]
    blank: list[StudentAnswer] = field(default_factory=list)
    past: list[str] = field(default_factory=list)
    named: bool = False

    @property
    def questions(self) -> list[WrittenQuestion]:
        """Of the lesson."""
        return written.questions(self.lesson)

    def of(self, question: str) -> dict[str, StudentAnswer]:
        """The answers to one question by code, in the order of the codes, which is a random one."""
        return {k: x for k, x in sorted(self.answers.items()) if x.question == question}

    def label(self, code: str) -> str:
        """What a marker reads: the code, after the name if the sheet is not anonymous."""
        return f"{self.answers[code].name} {code}" if self.named else code


def make(answers: Answers, before: AnswerSheet | None, named: bool) -> AnswerSheet:
    """The sheet of what was collected.

    Args:
        answers: That were collected.
        before: The sheet of an earlier collection into the same gradebook.
        named: Whether markers see names.
    """
    seed = before.seed if before else secrets.token_hex(16)
    coded = {_code(seed, x): x for x in answers.answers if x.text}
    past = {*before.past, *before.answers} - set(coded) if before else set()
    blank = [x for x in answers.answers if not x.text]
    return AnswerSheet(answers.lesson, seed, coded, blank, sorted(past), named)


def _code(seed: str, answer: StudentAnswer) -> str:
    content = json.dumps([answer.question, answer.student, answer.text]).encode()
    number = int.from_bytes(hmac.digest(seed.encode(), content, hashlib.sha256), "big")
    letters = ""
    for _ in range(8):
        number, place = divmod(number, len(LETTERS))
        letters += LETTERS[place]
    return f"{letters[:4]}-{letters[4:]}"


def save(sheet: AnswerSheet, out: Path) -> None:
    """Writes the sheet into the folder of a gradebook."""
    (out / WRITTEN).mkdir(parents=True, exist_ok=True)
    atomic_write_text(
        out / WRITTEN / SHEET, json.dumps(asdict(sheet), indent=1, ensure_ascii=False) + "\n"
    )


def load(out: Path) -> AnswerSheet | None:
    """The sheet in the folder of a gradebook; None if nothing was collected into it.

    Raises:
        CourseError: The file is damaged.
    """
    path = out / WRITTEN / SHEET
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["answers"] = {k: StudentAnswer(**x) for k, x in content["answers"].items()}
        content["blank"] = [StudentAnswer(**x) for x in content["blank"]]
        return AnswerSheet(**content)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CourseError(
            f"{path} is damaged; restore it, because the codes of the answers depend on it."
        ) from None


def look_at(sheet: AnswerSheet, people: list[Person]) -> list[str]:
    """What the instructor should know about the answers before people mark them, in sentences.

    Args:
        sheet: The answers.
        people: Of the roster, whose names are looked for.
    """
    roster, sentences = Roster(people), []
    texts: dict[tuple[str, str], list[str]] = {}
    for code, answer in sheet.answers.items():
        texts.setdefault((answer.question, " ".join(answer.text.split())), []).append(code)
        if _names_author(answer, roster):
            sentences.append(f"{code} contains its author's name, so it is not anonymous.")
        if "attachment:" in answer.text or "![" in answer.text or "<img" in answer.text.lower():
            sentences.append(f"{code} has a picture, which is not shown; see {answer.source}.")
    for (question, _), codes in texts.items():
        if len(codes) > 1:
            sentences.append(f"The same text answers {question} {len(codes)} times: "
                             f"{', '.join(sorted(codes))}.")  # fmt: skip
    return sorted(sentences)


def _names_author(answer: StudentAnswer, roster: Roster) -> bool:
    line = cast("SubmissionLine", {"name": answer.name})
    people = roster.authors(answer.student, line)
    names = [answer.student, answer.name]
    names += [x.get(key, "") for x in people for key in ("name", "login", "email", "student")]
    words = {x for name in names for x in re.split(r"\W+|_", name.casefold())}
    own = {x for x in words if len(x) > 3 and x.isalpha() and x not in NO_NAMES}
    return bool(own & set(re.split(r"\W+", answer.text.casefold())))
