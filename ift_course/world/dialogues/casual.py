"""Casual wordings: the same request as people type it, in a hurry or very politely."""

from __future__ import annotations

import random
import re


def with_right_article(text: str) -> str:
    """The text with "an" where "a" stands before a vowel: "a owl" → "an owl"."""
    return re.sub(r"\b([Aa]) (?=[aeioAEIO])", r"\1n ", text)


def polite(text: str, rng: random.Random) -> str:
    """The request with a polite word before or behind it, if it still reads well then."""
    end = text[-1] if text[-1:] in ".?!" else ""
    body = text.removesuffix(end)
    if re.search(r"[.?!,:\n]", body):
        return text  # a list or several sentences: a word behind them would belong to the last item
    if end == "." and body.split()[0] not in ("I", "Please"):
        return rng.choice((f"Please {_decapitalize(body)}.", f"{body}, please."))
    if end == "?":
        return rng.choice((f"{body}, please?", f"Excuse me. {text}", f"Hello! {text}"))
    return text


def hasty(text: str, rng: random.Random) -> str:
    """The request without capital letters, or without its last punctuation mark, or both."""
    if rng.random() < 0.6:
        text = text.rstrip(".?!")
    return _decapitalize(text) if rng.random() < 0.5 else text.lower()


def casual(text: str, rng: random.Random) -> str:
    """The request as it is, polite, or hasty."""
    dice = rng.random()
    if dice < 0.15:
        return polite(text, rng)
    return hasty(text, rng) if dice < 0.5 else text


def _decapitalize(text: str) -> str:
    """The text with a small first letter, unless its first word is "I"."""
    return text if re.match(r"I\b", text) else text[:1].lower() + text[1:]


def plain(prompt: str) -> str:
    """The prompt without what a hasty writer leaves out: case, punctuation marks, extra spaces."""
    letters = "".join(c if c.isalnum() else " " for c in prompt.casefold())
    return " ".join(letters.split())
