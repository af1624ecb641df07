"""Verifiers: is this text the answer, the whole answer and nothing but the answer.

An :class:`Answer` is plain data, so that an example can be stored in a file and still be marked.
Every correct wording the world knows is accepted; anything added, left out or wrong is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MODES = ("value", "exact", "members", "sentences")


@dataclass(frozen=True)
class Answer:
    """What counts as right.

    Attributes:
        mode: ``"value"`` compares words, forgiving case, articles, quotes and a final period;
            ``"exact"`` compares characters, for tasks about form; ``"members"`` wants ``count``
            different items of ``accept``; ``"sentences"`` wants ``count`` different sentences of
            ``accept``.
        accept: the right answers, items or sentences.
        count: how many of them are wanted.
    """

    mode: str
    accept: tuple[str, ...]
    count: int = 1

    def admits(self, text: str) -> bool:
        """Whether ``text`` is a right answer and nothing else."""
        if self.mode == "exact":
            return text.strip() in self.accept
        right = {normalize(option) for option in self.accept}
        if self.mode == "value":
            return normalize(text) in right
        parts = split_items(text) if self.mode == "members" else split_sentences(text)
        found = [normalize(part) for part in parts]
        return len(found) == len(set(found)) == self.count and set(found) <= right


_LEAD_INS = re.compile(r"^(?:it is|it's|that is|that's|they are|the answer is|the word is)\s+")
_ARTICLE = re.compile(r"^(?:the|an|a)\s+")


def normalize(text: str) -> str:
    """Lower case, single spaces, no outer quotes, no lead-in, no leading article, no final period.

    >>> normalize(' It is the Euro. ')
    'euro'
    """
    text = re.sub(r"\s+", " ", text).strip().casefold()
    text = text.strip('"“”').rstrip(".!").strip('"“”').rstrip(".!")
    text = _LEAD_INS.sub("", text)
    return _ARTICLE.sub("", text).strip('"“” ')


def split_items(text: str) -> list[str]:
    """``"apple, pear and plum"``, or the same with dashes and line breaks → its items."""
    text = re.sub(r"^\s*-\s*", "", text, flags=re.MULTILINE)
    return [item for item in re.split(r",|\n|\band\b", text.strip().rstrip(".")) if item.strip()]


def split_sentences(text: str) -> list[str]:
    """Cut at each period that ends a sentence."""
    return [part for part in re.split(r"(?<=\.)\s+", text.strip()) if part]
