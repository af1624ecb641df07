"""What the measures of quality look at: a record's questions and answers as plain text."""

import re
import unicodedata

from ift_course.data.records import Record

WORD = re.compile(r"\w+")


def user_text_of(record: Record) -> str:
    """What was asked: the user's turns, without those of the system."""
    return "\n".join(turn.content for turn in record.turns if turn.role == "user")


def assistant_text(record: Record) -> str:
    """What was answered: the assistant's turns."""
    return "\n".join(turn.content for turn in record.turns if turn.role == "assistant")


def normalized(text: str) -> str:
    """The text without differences that nobody reads: case, white space, forms of a character."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def words(text: str) -> list[str]:
    return WORD.findall(normalized(text))
