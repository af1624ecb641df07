"""Rows that an adapter should not have been trained on: those that the exam is made of.

The rows of the pool are about other entities than the exam, so only rows that a learner has added
or changed can be wrong here. What cannot be seen is an adapter that was trained on other rows than
those in its zip.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from ift_course.capstone.exam import Exam
from ift_course.capstone.pool import pool_questions
from ift_course.data.curation.texts import assistant_text, normalized, user_text_of
from ift_course.data.records import Record
from ift_course.world.facts import by_subject
from ift_course.world.splits import held_out

ALLOWED = 5  # own rows about held-out entities that may be an accident, among 300


@dataclass(frozen=True)
class Suspicion:
    """What is wrong with the training rows of a submission.

    Attributes:
        exam_rows: Numbers of the rows that repeat a question of the exam.
        held_out_rows: Numbers of own rows that ask about entities of the exam.
        names: Some of these entities.
    """

    exam_rows: list[int] = field(default_factory=list)
    held_out_rows: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The findings in a sentence; empty if there is nothing to report."""
        parts = []
        if self.exam_rows:
            parts.append(f"{_rows(self.exam_rows)} repeat questions of the exam")
        if len(self.held_out_rows) > ALLOWED:
            names = ", ".join(self.names[:3])
            parts.append(f"{_rows(self.held_out_rows)} ask about held-out entities ({names})")
        return f"Suspected training on the exam: {'; '.join(parts)}." if parts else ""


def look_at_rows(records: Sequence[Record], exam: Exam | None = None) -> Suspicion:
    """Look for rows that are about what the exam asks.

    Args:
        records: The training rows of a submission.
        exam: The exam; None looks for held-out entities alone.
    """
    questions = pool_questions()
    own = {n: x for n, x in enumerate(records, 1) if user_text_of(x) not in questions}
    asked = {normalized(question) for question in exam.questions} if exam else set()
    exam_rows = [number for number, x in own.items() if normalized(user_text_of(x)) in asked]
    entities = {number: held_out_facts(record) for number, record in own.items()}
    rows = [number for number, names in entities.items() if names]
    names = list(dict.fromkeys(name for found in entities.values() for name in found))
    return Suspicion(exam_rows, rows, names)


def held_out_facts(record: Record) -> list[str]:
    """The held-out entities that a row asks about, and of which it states a fact.

    The name alone proves nothing, because some are ordinary words, such as "light".

    Args:
        record: A training row.
    """
    question = normalized(user_text_of(record))
    text = f"{question} {normalized(assistant_text(record))}"
    return [
        name
        for name, values in _held_out_values().items()
        if _contains(question, name)
        if any(_contains(text.replace(name, " "), value) for value in values)
    ]


@cache
def _held_out_values() -> dict[str, tuple[str, ...]]:
    """Held-out entity → the values of all facts about it, as they would be compared."""
    values: dict[str, tuple[str, ...]] = {}
    for (kind, subject), facts in by_subject().items():
        if subject in held_out(kind):
            name = normalized(subject).rstrip(".")  # "turkey" is a country and an animal
            own = tuple(normalized(fact.value).rstrip(".") for fact in facts)
            values[name] = values.get(name, ()) + own
    return values


def _contains(text: str, words: str) -> bool:
    return words in text and bool(re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text))


def _rows(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:3]))
    more = f" and {len(numbers) - 3} more" if len(numbers) > 3 else ""
    return f"{len(numbers)} rows ({shown}{more})" if len(numbers) > 1 else f"1 row ({shown})"
