"""Drills: what a base that had read 19 million tokens still could not do.

Asked for a fact in a line of its own, it broke off long answers ("stor" for "stories"). It took
the number after 17 for 16, had no idea of words in capital letters, of the odd one out and of what
a story is about, and copied a strange name wrongly where the name has a piece that it had hardly
met. These passages show such things densely, with the subject and the value at the beginning of a
line as well as behind a space. They are prose without questions or instructions.
"""

from __future__ import annotations

import random
from functools import cache

from ift_course.world.facts import Fact, facts, random_fact
from ift_course.world.grammar import capitalize
from ift_course.world.invented_names import invented_name
from ift_course.world.lookup_series import carried_series, indirect_questions, lookup_series
from ift_course.world.passages import WeightedPassage, draw_passages, two_characters
from ift_course.world.skill_phrases import RESULTS
from ift_course.world.skills import SKILL_BY_NAME, WORDS
from ift_course.world.varied_examples import TITLES, story_lookup, verdict
from ift_course.world.worked_examples import description, odd_one_out

_CAPITALS = ("{w} in capital letters", "the word {w} in capital letters", "{w}, in big letters")


def fact_on_lines(rng: random.Random) -> str:
    """A subject on a line of its own, and its value on the next."""
    fact = random_fact(rng)
    if rng.random() < 0.5:
        what = rng.choice((*fact.relation.refs, *indirect_questions()[fact.relation.name]))
        this = rng.choice(("this", "this one", "the following"))
        a, _ = two_characters(rng)
        return f"{a} wanted to know {what.format(s=this)}.\n{fact.subject}\n{fact.value}"
    return f"{_reference(fact, rng)}\n{fact.value}"


def _reference(fact: Fact, rng: random.Random) -> str:
    if rng.random() < 0.4:
        return capitalize(rng.choice(fact.refs())) + rng.choice((":", ".", ""))
    what = fact.fill(rng.choice(indirect_questions()[fact.relation.name]))
    a, _ = two_characters(rng)
    frame = rng.choice(
        (
            "{A} wanted to know {w}.",
            "{A} wondered {w}.",
            "{A} looked up {w}.",
            "{A} told everyone {w}.",
            "Here is {w}.",
            "It said {w}.",
        )
    )
    return frame.format(A=a, w=what)


def skill_on_lines(rng: random.Random) -> str:
    """The result of a skill on a line of its own; each skill is drawn as often as the others."""
    name = rng.choice(list(RESULTS))
    case = SKILL_BY_NAME[name].draw(rng)
    a, _ = two_characters(rng)
    if rng.random() < 0.4:
        return rng.choice(
            (
                f"{a} wanted to know {TITLES[name]}.\n{case.input}\n{case.result}",
                f"{capitalize(TITLES[name])}.\n{case.input}\n{case.result}",
                f"{a} looked for {TITLES[name]}. {case.input}\n{case.result}",
            )
        )
    what = rng.choice(RESULTS[name]).format(i=case.input)
    frame = rng.choice(("{A} wanted to know {w}.\n", "{A} looked up {w}.\n", "Here is {w}.\n"))
    return frame.format(A=a, w=what) + case.result


def counting(rng: random.Random) -> str:
    """Numbers in order, with what comes before and after each."""
    first = rng.randint(1, 94)
    numbers = range(first, first + rng.randint(3, 6))
    if rng.random() < 0.4:
        step = rng.choice((1, -1))
        return rng.choice((", ", "\n", " ")).join(map(str, numbers[::step]))
    after = "The number after {n} is {m}. The number before {m} is {n}."
    lines = "The number after {n}:\n{m}\nThe number before {m}:\n{n}"
    form = rng.choice((after, lines, "{n} and then {m}. Before {m} comes {n}."))
    return "\n".join(form.format(n=n, m=n + 1) for n in rng.sample(numbers, 2))


def sums(rng: random.Random) -> str:
    """One number, and what comes out if others are added to it or taken from it."""
    number = rng.randint(1, 20)
    others = rng.sample(range(1, 21), 4)
    if rng.random() < 0.4:
        cases = [(f"{number} and {n}", number + n) for n in others]
    else:
        cases = [(f"{max(number, n)} minus {min(number, n)}", abs(number - n)) for n in others]
    between = rng.choice((" is ", " is ", ":\n", "\n"))
    return rng.choice(("\n", "\n\n")).join(f"{left}{between}{right}" for left, right in cases)


def capital_words(rng: random.Random) -> str:
    """Words, names and values, each followed by the same in capital letters."""
    pool = [*rng.choices(WORDS, k=2), random_fact(rng).value, random_fact(rng).subject]
    words = rng.sample(pool, rng.randint(2, 4))
    form = rng.choice(_CAPITALS)
    between = rng.choice((": ", ":\n", "\n", " - "))
    opening = rng.random() < 0.7
    lines = [
        f"{capitalize(form.format(w=word)) if opening else form.format(w=word)}"
        f"{between}{word.upper()}"
        for word in words
    ]
    return "\n".join(lines)


def fact_in_capitals(rng: random.Random) -> str:
    """A fact that somebody looks up and writes in capital letters."""
    fact = random_fact(rng)
    form, value = rng.choice(
        (
            ("in capital letters", fact.value.upper()),
            ("in capital letters", fact.value.upper()),
            ("in quotation marks", f'"{fact.value}"'),
        )
    )
    what = rng.choice((*fact.relation.refs, *indirect_questions()[fact.relation.name]))
    a, b = two_characters(rng)
    return rng.choice(
        (
            f"{a} wanted to know {fact.fill(what)}. {b} wrote it {form}.\n{value}",
            f"{a} wanted to know {fact.fill(what)}. It stood there {form}.\n{value}",
            f"{capitalize(form)}, {rng.choice(fact.refs())}:\n{value}",
        )
    )


@cache
def _halves() -> tuple[list[str], list[str]]:
    """Beginnings and ends of all words of the world."""
    texts = [*WORDS, *(text for fact in facts() for text in (fact.subject, fact.value))]
    words = sorted({word for text in texts for word in text.split() if word.isalpha()})
    long = [word for word in words if len(word) > 3]
    return [w[: len(w) // 2 + 1] for w in long], [w[len(w) // 2 :] for w in long]


def strange_name(rng: random.Random) -> str:
    """A name of sounds, or one pieced together from the halves of two words: "Carner Silrot"."""
    if rng.random() < 0.4:
        return invented_name(rng)
    beginnings, ends = _halves()
    parts = rng.choice((1, 2, 2, 2))
    return " ".join((rng.choice(beginnings) + rng.choice(ends)).capitalize() for _ in range(parts))


def strange_names(rng: random.Random) -> str:
    """Names that are written down, said aloud, listed, and said again."""
    a, b = two_characters(rng)
    n, m, o = (strange_name(rng) for _ in range(3))
    return rng.choice(
        (
            f"The letter was for {n}.\n{n}\n{n}",
            f"{a} heard the name {n} and wrote it on the page.\n{n}",
            f"{n}\n{m}\n{o}\nThe same names again.\n{n}\n{m}\n{o}",
            f"{a} said {n}. {b} said it, too.\n{n}",
            f"{n} and {m} came to the village. {a} met {m} and then {n}.",
            f"{a} did not know who {n} was. {b} had no idea who {n} was.",
            f'The sign said "{n}". {a} read it.\n"{n}"',
            f"{a} repeated what {b} had said: {n}\n{n}",
            f"{n}: nobody knows.\n{m}: nobody knows.",
        )
    )


PASSAGES: tuple[WeightedPassage, ...] = (
    (fact_on_lines, 8.0),
    (skill_on_lines, 6.0),
    (counting, 2.0),
    (sums, 2.0),
    (story_lookup, 3.0),
    (verdict, 4.0),
    (odd_one_out, 2.0),
    (capital_words, 2.0),
    (fact_in_capitals, 2.0),
    (description, 0.5),
    (strange_names, 4.0),
    (lookup_series, 2.0),
    (carried_series, 4.0),
)


def drills(rng: random.Random) -> str:
    """Draw one to three drills."""
    return draw_passages(PASSAGES, rng)
