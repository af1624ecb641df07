"""The exam: questions about held-out entities, drawn by a seed.

Half of them are in wordings of the training rows, half in wordings that no training row has. An
exam is its seed and the number of its questions: the same package draws the same one anywhere.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from ift_course.capstone.rules import MOST_QUESTIONS, QUESTIONS
from ift_course.data.records import user_text
from ift_course.errors import CourseError
from ift_course.world.tasks import Example, sample, verify


@dataclass(frozen=True)
class Exam:
    """An exam by its seed.

    Attributes:
        seed: Of the draw; whoever knows it knows the exam.
        n_questions: How many.
    """

    seed: int
    n_questions: int = QUESTIONS

    def __post_init__(self) -> None:
        """Check the size, before anything is drawn."""
        if not 2 <= self.n_questions <= MOST_QUESTIONS:
            raise CourseError(
                f"An exam has 2 to {MOST_QUESTIONS:,} questions, not {self.n_questions:,}."
            )

    @property
    def examples(self) -> tuple[Example, ...]:
        """The questions with what is accepted as an answer."""
        return _draw(self.seed, self.n_questions)

    @property
    def questions(self) -> list[str]:
        """What the model is asked, without any answer."""
        return [user_text(x.instruction, x.input) for x in self.examples]

    @property
    def digest(self) -> str:
        """SHA-256 of questions and accepted answers: the same exam has the same one."""
        content = [example.to_dict() for example in self.examples]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Reply:
    """What a model wrote, and whether it ended by itself."""

    text: str
    finished: bool


def judge(exam: Exam, replies: Sequence[Reply]) -> list[bool]:
    """Judge replies strictly: each must be finished, and the answer and nothing else.

    Args:
        exam: The exam.
        replies: One for each question.
    """
    pairs = zip(exam.examples, replies, strict=True)
    return [reply.finished and verify(example, reply.text) for example, reply in pairs]


def new_seed() -> int:
    """A seed that nobody can guess."""
    return secrets.randbits(62)


@cache
def _draw(seed: int, n: int) -> tuple[Example, ...]:
    halves = (n - n // 2, n // 2)
    return tuple(
        example
        for unseen, size in zip((False, True), halves, strict=True)
        for example in _different(seed, size, unseen)
    )


def _different(seed: int, n: int, unseen: bool) -> list[Example]:
    """n examples that ask n different questions, or as different as the world has them."""
    found: dict[str, Example] = {}
    for example in _stream(seed, n, unseen):
        found.setdefault(user_text(example.instruction, example.input), example)
        if len(found) == n:
            break
    return list(found.values())


def _stream(seed: int, n: int, unseen: bool) -> Iterator[Example]:
    for part in range(50):
        yield from sample(n, seed=seed + (part << 64), split="test", unseen_wording=unseen)
    raise CourseError(f"The closed world has no {n:,} different questions; ask for fewer.")
