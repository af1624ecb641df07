"""The texts that the curation compares: a record's questions and answers as plain text."""

from __future__ import annotations

import re
import unicodedata

from ift_course.data.records import Record

WORD = re.compile(r"\w+")
# Periods that end no sentence: of initials and "U.S.", "e.g.", "Ph.D."; of titles and the like; of
# decimals. "No." and "etc." are not among them, because more often than not they end one.
INNER_PERIOD = re.compile(
    r"(?<![\w'’])[^\W\d_](?:[^\W\d_]?\.(?:-?[^\W\d_]{1,2}\.)+|\.)"
    r"|\b(?:Dr|Mr|Mrs|Ms|Prof|St|Mt|Jr|Sr|Rev|Gen|Col|Capt|Lt|Sgt|Gov|Sen|Inc|Ltd|Corp|Co|vs|cf|ca"
    r"|approx|Fig|Vol|Jan|Feb|Aug|Sept|Oct|Nov|Dec)\."
    r"|\d\.(?=\d)"
)


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


def only_final_periods(text: str) -> str:
    """The text without the periods of abbreviations, initials and decimals.

    A period that ends both an abbreviation and its sentence is lost, too.
    """
    return INNER_PERIOD.sub(lambda match: match[0].replace(".", ""), text)
