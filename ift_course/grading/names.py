"""Names that students and learning platforms chose, made harmless or comparable."""

from __future__ import annotations

import unicodedata


def clean(text: str) -> str:
    """At most 1,000 characters, without any that steer a terminal or cannot be written."""
    harmless = (x if x.isprintable() or x == "\n" else "\N{REPLACEMENT CHARACTER}" for x in text)
    return "".join(harmless)[:1000]


def plain_name(name: str) -> str:
    """A name without what systems change in it: case, accents' form, blanks, punctuation."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(x for x in plain if x.isalnum()) or plain
