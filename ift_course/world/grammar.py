"""The few rules of English that the world needs."""

from __future__ import annotations

from collections.abc import Sequence

NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty"
).split()


def with_article(noun: str, article: str) -> str:
    """The noun after its article: ("owl", "a") → "an owl"; an empty article changes nothing."""
    if article == "a" and noun[:1].lower() in tuple("aeiou"):
        article = "an"
    return f"{article} {noun}".strip()


def join(words: Sequence[str]) -> str:
    """The words as an English list: ["a", "b", "c"] → "a, b and c"."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def capitalize(sentence: str) -> str:
    """The sentence with an upper-case first letter, after an opening quote if there is one.

    Unlike `str.capitalize`, it leaves the other letters alone, because some belong to names.
    """
    start = 1 if sentence[:1] in "\"'" and len(sentence) > 1 else 0
    return sentence[:start] + sentence[start : start + 1].upper() + sentence[start + 1 :]


_IRREGULAR = {"sheep": "sheep", "deer": "deer", "goose": "geese", "mouse": "mice", "wolf": "wolves"}


def plural_of(noun: str) -> str:
    """The plural of an animal or a thing: "owl" → "owls", "fox" → "foxes", "mouse" → "mice"."""
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
