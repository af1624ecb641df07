"""The texts that the curation compares: a record's questions and answers as plain text."""

from __future__ import annotations

import re
import unicodedata

from ift_course.data.records import Record

WORD = re.compile(r"\w+")


def user_text_of(record: Record) -> str:
    """The user's turns, without the system's."""
    return "\n".join(turn.content for turn in record.turns if turn.role == "user")


def assistant_text(record: Record) -> str:
    """The assistant's turns."""
    return "\n".join(turn.content for turn in record.turns if turn.role == "assistant")


def normalized(text: str) -> str:
    """The text without invisible differences: case, white space, Unicode variants of a letter."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def words(text: str) -> list[str]:
    """The words of the normalized text."""
    return WORD.findall(normalized(text))
