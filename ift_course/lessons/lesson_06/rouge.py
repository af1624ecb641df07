"""ROUGE-1 (Lin 2004): how many words a text shares with a reference."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable


def rouge_1(text: str, references: Iterable[str]) -> float:
    """The F1 score of the words that a text shares with the reference that is most like it.

    Args:
        text: what is scored, such as a summary; case and punctuation do not count.
        references: right texts, at least one.

    Returns:
        From 0, for no word in common, to 1, for the same words with the same frequencies.
    """
    return max(_f1(_words(text), _words(reference)) for reference in references)


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.casefold()))


def _f1(words: Counter[str], reference: Counter[str]) -> float:
    total = words.total() + reference.total()
    return 2 * (words & reference).total() / total if total else 0.0
