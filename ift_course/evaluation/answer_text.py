"""Texts of answers, made comparable: normal forms, whole words, and numbers in a sentence."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

# An article that something follows: the answer "A" and the end of "Vitamin A" are no articles.
ARTICLE = re.compile(r"\b(?:a|an|the)\s+(?=\w)")
QUOTES = {'"': '"', "'": "'", "`": "`", "«": "»"}
STRAIGHT = str.maketrans("‘’‚‛“”„‟", "''''\"\"\"\"")
# A sign belongs to a number only where no word or number stands before it: 7-3 holds 7 and 3.
NUMBER = re.compile(
    r"(?P<sign>(?<![\w.)])[-−])?[$€£¥]?"
    r"(?P<digits>(?:\d{1,3}(?:[,\u00a0\u2009\u202f]\d{3})+(?!\d)|\d+)(?:\.\d+)?"
    r"(?:[eE][-+]?\d{1,3}(?!\d))?|(?<!\d)\.\d+)"
)
SEPARATORS = str.maketrans("", "", ",\u00a0\u2009\u202f")


def comparable(text: str) -> str:
    """Return a text in one Unicode form, without case, with straight quotes and single spaces."""
    folded = unicodedata.normalize("NFC", text).casefold().translate(STRAIGHT)
    return " ".join(folded.split())


def whole_answer(text: str) -> str:
    """Return a text as `one_of` compares it: `comparable` without frame and articles.

    The outer quotes and the final period are dropped, whichever stands outside.
    """
    text = comparable(text)
    while True:
        bare = text.removesuffix(".").strip()
        if len(bare) > 1 and QUOTES.get(bare[0]) == bare[-1]:
            bare = bare[1:-1].strip()
        if not bare or bare == text:
            return ARTICLE.sub("", text)
        text = bare


def contains_words(text: str, words: str) -> bool:
    """Return whether words occur in a text as whole words, whatever their case.

    Args:
        text: The answer.
        words: One word or several, which may begin or end with a sign such as "C++".
    """
    pattern = rf"(?<!\w){re.escape(comparable(words))}(?!\w)"
    return re.search(pattern, comparable(text)) is not None


def last_number(text: str) -> Decimal | None:
    """Return the last number in a text, or None if it holds none.

    Commas and thin or no-break spaces may separate thousands; a currency sign may stand before the
    digits; a decimal point is a point.
    """
    matches = list(NUMBER.finditer(text))
    if not matches:
        return None
    digits = matches[-1]["digits"].translate(SEPARATORS)
    return Decimal(("-" if matches[-1]["sign"] else "") + digits)


def without_thoughts(text: str) -> str:
    """Return an answer without the `<think>` block that reasoning models begin with."""
    if "</think>" in text:
        return text.split("</think>", 1)[1].strip()
    return "" if text.lstrip().startswith("<think>") else text
