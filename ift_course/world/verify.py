"""Verifiers: is a text the answer, the whole answer, and nothing but the answer?

An `Answer` is plain data, so that an example can be stored in a file and graded later. A verifier
accepts every correct wording that the world knows, and rejects anything added, missing or wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MODES = ("value", "exact", "members", "sentences")


@dataclass(frozen=True)
class Answer:
    """What counts as right.

    Attributes:
        mode: How a text is compared. "value" compares words and ignores case, articles, quotes and
            a final period; "exact" compares characters, for tasks about form; "members" needs
            `count` different items of `accept`; "sentences" needs `count` different sentences.
        accept: The right answers, items or sentences.
        count: Number of items or sentences that the text must have.
    """

    mode: str
    accept: tuple[str, ...]
    count: int = 1

    def accepts(self, text: str) -> bool:
        """Whether the text is a right answer and nothing else."""
        if self.mode == "exact":
            return text.strip() in self.accept
        accepted = {normalize(option) for option in self.accept}
        if self.mode == "value":
            return normalize(text) in accepted
        parts = split_items(text) if self.mode == "members" else split_sentences(text)
        items = [normalize(part) for part in parts]
        return len(items) == len(set(items)) == self.count and set(items) <= accepted


_LEAD_INS = re.compile(r"^(?:it is|it's|that is|that's|they are|the answer is|the word is)\s+")
_ARTICLE = re.compile(r"^(?:the|an|a)\s+")


def normalize(text: str) -> str:
    """The text without what does not matter: case, outer quotes, lead-in, article, final period.

    >>> normalize(' It is the Euro. ')
    'euro'
    """
    text = re.sub(r"\s+", " ", text).strip().casefold()
    text = text.strip('"“”').rstrip(".!").strip('"“”').rstrip(".!")
    text = _LEAD_INS.sub("", text)
    return _ARTICLE.sub("", text).strip('"“” ')


def split_items(text: str) -> list[str]:
    """Items of a list such as "apple, pear and plum", or of one with dashes and line breaks."""
    text = re.sub(r"^\s*-\s*", "", text, flags=re.MULTILINE)
    return [item for item in re.split(r",|\n|\band\b", text.strip().rstrip(".")) if item.strip()]


def split_sentences(text: str) -> list[str]:
    """Sentences of the text, cut at each period that is followed by a space."""
    return [part for part in re.split(r"(?<=\.)\s+", text.strip()) if part]
