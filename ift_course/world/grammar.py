"""The few rules of English the world needs."""

from __future__ import annotations

from collections.abc import Sequence

NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty"
).split()


def with_article(noun: str, article: str) -> str:
    """``("owl", "a")`` → ``"an owl"``; an empty article leaves the noun alone."""
    if article == "a" and noun[:1].lower() in tuple("aeiou"):
        article = "an"
    return f"{article} {noun}".strip()


def join(words: Sequence[str]) -> str:
    """``["a", "b", "c"]`` → ``"a, b and c"``."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def capitalize(sentence: str) -> str:
    """Raise the first letter, leaving the rest (names!) alone; an opening quote is passed over."""
    start = 1 if sentence[:1] in "\"'" and len(sentence) > 1 else 0
    return sentence[:start] + sentence[start : start + 1].upper() + sentence[start + 1 :]
