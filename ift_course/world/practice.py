"""More reading text, about doing: what the second phase of pretraining adds to the first.

Tuning a base that had read only the first phase showed what it could not read: whether a claim is
true, what is left of a sum, which word is the odd one out, two sentences about a thing. These
passages tell such things in the form in which :mod:`~ift_course.world.reading` tells facts —
somebody wants to know, and then it stands there. Still prose: nobody is asked or told to do it.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from . import tables
from .facts import by_relation, by_subject
from .grammar import capitalize, with_article
from .reading import lower_first, pick, tidy, wrong_value
from .skills import SKILL_BY_NAME
from .tables import CHARACTERS

# What a skill's result is called, so that it can be wanted and found like a fact.
RESULTS = {
    "add": "the sum of {i}",
    "subtract": "the result of {i}",
    "double": "the double of {i}",
    "larger": "the larger of {i}",
    "number_after": "the number after {i}",
    "number_before": "the number before {i}",
    "series": "the next number in the series {i}",
    "list_first": "the first word of {i}",
    "list_second": "the second word of {i}",
    "list_last": "the last word of {i}",
    "list_count": "the number of words in {i}",
    "list_reverse": "the list {i} in reverse order",
    "list_join": "the words {i} with the word and",
    "odd_one_out": "the odd one out of {i}",
    "capital_letters": "the word {i} in capital letters",
    "twice": "the word {i} twice",
    "quotation_marks": "the word {i} in quotation marks",
    "bullets": "the words {i} as a list with dashes",
}
HARD = ("subtract", "add", "odd_one_out", "list_count", "double")

_FOUND = (
    "{A} wanted to know {np}.\n{o}",
    "{A} wanted to know {np}. {B} knew it: {o}",
    "{A} thought about {np}, and then wrote:\n{o}",
    "{Np}:\n{o}",
    "On one side of the card stood {np}. On the other side stood this.\n{o}",
    "{A} was curious about {np}. {B} whispered: {o}",
)


def _two(rng: random.Random) -> list[str]:
    return rng.sample(CHARACTERS, 2)


def _found(rng: random.Random, ref: str, result: str) -> str:
    a, b = _two(rng)
    return rng.choice(_FOUND).format(A=a, B=b, np=ref, Np=capitalize(ref), o=result)


def worked_out(rng: random.Random) -> str:
    """The result of a skill is wanted and found."""
    name = rng.choice(HARD) if rng.random() < 0.3 else rng.choice(list(RESULTS))
    case = SKILL_BY_NAME[name].draw(rng)
    return _found(rng, RESULTS[name].format(i=case.given), case.result)


def checked(rng: random.Random) -> str:
    """Somebody is not sure, and it is so or it is not."""
    fact = pick(rng)
    right = rng.random() < 0.5
    claimed = fact if right else wrong_value(fact, rng)
    said = rng.choice(claimed.statements())
    that = lower_first(said, claimed)
    word = "Yes" if right else "No"
    a, b = _two(rng)
    return rng.choice(
        (
            f"{a} wanted to know if it is true that {that}.\n{word}",
            f"{a} was not sure if {that}. {b} looked it up.\n{word}",
            f"{a} wanted to know if this sentence is true. {said}\n{word}",
            f"{a} read a sentence and wondered if it is right. {said}\n{word}",
            f"Right or not, yes or no: {said}\n{word}",
            f"{a} wondered if {that}. {word}, said {b}.",
        )
    )


def sorted_out(rng: random.Random) -> str:
    """Three words of a kind and one of another, with the reason."""
    case = SKILL_BY_NAME["odd_one_out"].draw(rng)
    kinds = {fact.subject: fact.value for fact in by_relation()["kind"]}
    same = next(word for word in case.given.split(", ") if word != case.result)
    kind = with_article(kinds[same], "a")
    other = with_article(kinds[case.result], "a")
    return rng.choice(
        (
            f"Of the words {case.given}, three are the name of {kind}. "
            f"The odd one out is {case.result}, {other}.",
            f"The list was {case.given}. Only {case.result} is not {kind}. "
            f"The odd one out is {case.result}.",
            f"The odd one out of {case.given} is {case.result}, because it is {other}.",
        )
    )


def examples(rng: random.Random) -> str:
    """Words of a kind, on a line of their own."""
    kind, listed = rng.choice(tables.rows(tables.KINDS))
    three = ", ".join(rng.sample(listed.split(), 3))
    if rng.random() < 0.5:
        one = with_article(kind, "a")
        ref = rng.choice((f"the name of {one}", f"an example of {one}", one))
        return _found(rng, ref, rng.choice(listed.split()))
    ref = rng.choice(
        (
            f"three words of the kind {kind}",
            f"three examples of the kind {kind}",
            f"three words under the heading {kind}",
        )
    )
    return _found(rng, ref, three)


def described(rng: random.Random) -> str:
    """Two sentences about somebody or something."""
    known = rng.choice([facts for facts in by_subject().values() if len(facts) > 2])
    kind, subject = known[0].relation.subjects, known[0].subject
    about = subject if kind in ("country", "person", "noun", "day", "month") else f"the {subject}"
    first, second = rng.sample(known, 2)
    text = f"{rng.choice(first.statements())} {rng.choice(second.statements())}"
    ref = rng.choice(
        (
            f"two sentences about {about}",
            f"a short text of two sentences about {about}",
            f"something about {about} in two sentences",
        )
    )
    return _found(rng, ref, text)


def in_form(rng: random.Random) -> str:
    """A fact in a special form, on a line of its own."""
    fact = pick(rng)
    ref = rng.choice(fact.refs())
    form, written = rng.choice(
        (
            ("in capital letters", fact.value.upper()),
            ("in capital letters", fact.value.upper()),
            ("in quotation marks", f'"{fact.value}"'),
            ("in a full sentence", fact.statements()[0]),
        )
    )
    return _found(rng, f"{ref} {form}", written)


def phrase(rng: random.Random) -> str:
    """A sentence of the phrase book."""
    fact = rng.choice(by_relation()["phrase"])
    return _found(rng, rng.choice(fact.refs()), fact.value)


PASSAGES: tuple[tuple[Callable[[random.Random], str], float], ...] = (
    (worked_out, 6.0),
    (checked, 4.0),
    (sorted_out, 1.5),
    (examples, 1.0),
    (described, 1.5),
    (in_form, 3.0),
    (phrase, 0.5),
)


def practice(rng: random.Random) -> str:
    """One to three passages."""
    makers, weights = zip(*PASSAGES, strict=True)
    chosen = rng.choices(makers, weights, k=rng.choice((1, 1, 2, 3)))
    return "\n".join(tidy(make(rng)) for make in chosen)
