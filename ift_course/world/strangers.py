"""Prose about strangers: names that are new in every passage and are then repeated.

A model copies what it has just read with *induction heads* (Olsson et al. 2022, arXiv:2209.11895).
Sentences with new names show it what to copy; by themselves they did not make such heads form in a
model of this size (0 of 100 unseen names after 2 million tokens). Random strings that repeat did:
see `refrain`.
"""

from __future__ import annotations

import random

from ift_course.world.invented_names import invented_name, invented_word
from ift_course.world.skills import WORDS
from ift_course.world.tables import CHARACTERS

_FRAMES = (
    "A visitor called {N} came to the door. The sign said: Welcome, {N}.",
    "Nobody in the village had ever heard of {N}. {A} spoke to everyone about {N}, and they all "
    "shook their heads.",
    "{A} was curious about {N}. {B} had never met anyone called {N}.",
    "There were three names on the list: {N}, {M} and {O}. The second name was {M}.",
    "There were three names on the list: {N}, {M} and {O}. The last name was {O}.",
    "There were two names on the list: {N} and {M}. The first name was {N}.",
    "{A} met a stranger. My name is {N}, said the stranger. Good morning, {N}, said {A}.",
    "{A} said: My name is {N}. {B} wrote it down: {N}",
    "The card for {N} was empty. Nobody knew {N}.",
    "A letter came for {N}. On the envelope stood\n{N}\nand nothing else.",
    "The name on the door was {N}. {A} wrote it down.\n{N}",
    "{A} read the name aloud.\n{N}\n{B} repeated it.\n{N}",
    '{A} wrote the name {N} in quotation marks: "{N}".',
    "{A} read the name aloud. {N}, said {A}. {N}, repeated {B}.",
    "{N}: unknown. {M}: unknown.",
    "Two strangers met. One was {N}, the other was {M}. {M} said hello to {N}.",
    "{A} looked for {N} in a book. I do not know anyone called {N}, said {A}.",
    "{A} wanted to know who {N} is.\nI do not know anyone called {N}.",
    "{A} had to say after {B}: {N}\n{N}",
)


def strangers(rng: random.Random) -> str:
    """One to three passages in which invented names are repeated."""
    passages = []
    for _ in range(rng.choice((1, 2, 2, 3))):
        a, b = rng.sample(CHARACTERS, 2)
        n, m, o = (invented_name(rng) for _ in range(3))
        passages.append(rng.choice(_FRAMES).format(A=a, B=b, N=n, M=m, O=o))
    return rng.choice(("\n", " ")).join(passages)


def refrain(rng: random.Random) -> str:
    """Three to fourteen random words, said two to five times, like the refrain of a song."""
    sources = (
        lambda: invented_word(rng),
        lambda: invented_word(rng).capitalize(),
        lambda: rng.choice(WORDS),
        lambda: str(rng.randint(1, 99)),
    )
    source = rng.choice(sources)
    mixed = rng.random() < 0.5
    words = [(rng.choice(sources) if mixed else source)() for _ in range(rng.randint(3, 14))]
    verse = rng.choice((" ", " ", ", ", "\n")).join(words)
    return rng.choice(("\n", "\n", ". ", " ")).join([verse] * rng.randint(2, 5))
