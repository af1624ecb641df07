"""Names that nobody in the world has, made of sounds: strangers, and something to copy."""

from __future__ import annotations

import random

_ONSETS = (
    "b c d f g h j k l m n p r s t v w z br cr dr fr gr kr pr tr bl cl fl gl pl sl sh th ch qu"
).split()
_VOWELS = "a e i o u ai ea oo ie ou".split()
_ENDS = "n r l s t m d k th ck nd rt lf x v".split()


def invented_word(rng: random.Random) -> str:
    """Draw a word of one to three syllables that sounds English and means nothing."""
    syllables = rng.choice((1, 2, 2, 3))
    return "".join(
        rng.choice(_ONSETS)
        + rng.choice(_VOWELS)
        + (rng.choice(_ENDS) if rng.random() < 0.6 else "")
        for _ in range(syllables)
    )


def invented_name(rng: random.Random) -> str:
    """Draw a first name, usually with a last name: "Drealf Quoon"."""
    count = 2 if rng.random() < 0.8 else 1
    return " ".join(invented_word(rng).capitalize() for _ in range(count))
