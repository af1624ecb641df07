"""Worked examples: what the second phase of pretraining adds to the comprehension passages.

A base model that had read only the first phase showed after tuning what it could not read: whether
a claim is true, the result of a subtraction, which word is the odd one out, two sentences about
something. These passages report such things in the form in which the comprehension passages report
facts: somebody wants to know, and the next line has it. They are still prose without instructions.
"""

from __future__ import annotations

import random

from ift_course.world import tables
from ift_course.world.facts import (
    as_clause,
    by_relation,
    by_subject,
    description_subject,
    random_fact,
    with_wrong_value,
)
from ift_course.world.grammar import capitalize, with_article
from ift_course.world.lookup_series import indirect_lookup, lookup_series
from ift_course.world.passages import WeightedPassage, draw_passages, two_characters
from ift_course.world.skills import SKILL_BY_NAME

# Noun phrases for the result of a skill; `{i}` is the input of the case.
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
# Skills that are drawn more often, because the tuned model had trouble with them.
HARD = ("subtract", "add", "odd_one_out", "list_count", "double")

_LOOKUPS = (
    "{A} wanted to know {np}.\n{o}",
    "{A} wanted to know {np}. {B} knew it: {o}",
    "{A} thought about {np}, and then wrote:\n{o}",
    "{Np}:\n{o}",
    "On one side of the card stood {np}. On the other side stood this.\n{o}",
    "{A} was curious about {np}. {B} whispered: {o}",
)


def _lookup(rng: random.Random, ref: str, result: str) -> str:
    a, b = two_characters(rng)
    return rng.choice(_LOOKUPS).format(A=a, B=b, np=ref, Np=capitalize(ref), o=result)


def skill_result(rng: random.Random) -> str:
    """Somebody wants the result of a skill and gets it."""
    name = rng.choice(HARD) if rng.random() < 0.3 else rng.choice(list(RESULTS))
    case = SKILL_BY_NAME[name].draw(rng)
    return _lookup(rng, RESULTS[name].format(i=case.input), case.result)


def verdict(rng: random.Random) -> str:
    """Somebody wants to know whether a claim is true; the answer is yes or no."""
    fact = random_fact(rng)
    right = rng.random() < 0.5
    claimed = fact if right else with_wrong_value(fact, rng)
    sentence = rng.choice(claimed.statements())
    clause = as_clause(sentence, claimed)
    word = "Yes" if right else "No"
    a, b = two_characters(rng)
    return rng.choice(
        (
            f"{a} wanted to know if it is true that {clause}.\n{word}",
            f"{a} was not sure if {clause}. {b} looked it up.\n{word}",
            f"{a} wanted to know if this sentence is true. {sentence}\n{word}",
            f"{a} read a sentence and wondered if it is right. {sentence}\n{word}",
            f"Right or not, yes or no: {sentence}\n{word}",
            f"{a} wondered if {clause}. {word}, said {b}.",
        )
    )


def odd_one_out(rng: random.Random) -> str:
    """Three words of one kind and one of another, with the reason."""
    case = SKILL_BY_NAME["odd_one_out"].draw(rng)
    kind_of = {fact.subject: fact.value for fact in by_relation()["kind"]}
    same = next(word for word in case.input.split(", ") if word != case.result)
    kind = with_article(kind_of[same], "a")
    other = with_article(kind_of[case.result], "a")
    return rng.choice(
        (
            f"Of the words {case.input}, three are the name of {kind}. "
            f"The odd one out is {case.result}, {other}.",
            f"The list was {case.input}. Only {case.result} is not {kind}. "
            f"The odd one out is {case.result}.",
            f"The odd one out of {case.input} is {case.result}, because it is {other}.",
        )
    )


def category_examples(rng: random.Random) -> str:
    """One or three members of a category."""
    kind, members = rng.choice(list(tables.CATEGORIES.items()))
    three = ", ".join(rng.sample(members, 3))
    if rng.random() < 0.5:
        one = with_article(kind, "a")
        ref = rng.choice((f"the name of {one}", f"an example of {one}", one))
        return _lookup(rng, ref, rng.choice(members))
    ref = rng.choice(
        (
            f"three words of the kind {kind}",
            f"three examples of the kind {kind}",
            f"three words under the heading {kind}",
        )
    )
    return _lookup(rng, ref, three)


def description(rng: random.Random) -> str:
    """Two sentences about a person or a thing."""
    group = rng.choice([facts for facts in by_subject().values() if len(facts) > 2])
    about = description_subject(group[0])
    first, second = rng.sample(group, 2)
    text = f"{rng.choice(first.statements())} {rng.choice(second.statements())}"
    ref = rng.choice(
        (
            f"two sentences about {about}",
            f"a short text of two sentences about {about}",
            f"something about {about} in two sentences",
        )
    )
    return _lookup(rng, ref, text)


def formatted_fact(rng: random.Random) -> str:
    """A fact in a special format."""
    fact = random_fact(rng)
    ref = rng.choice(fact.refs())
    form, value = rng.choice(
        (
            ("in capital letters", fact.value.upper()),
            ("in capital letters", fact.value.upper()),
            ("in quotation marks", f'"{fact.value}"'),
            ("in a full sentence", fact.statements()[0]),
        )
    )
    return _lookup(rng, f"{ref} {form}", value)


def translated_phrase(rng: random.Random) -> str:
    """A sentence from the phrase book and its translation."""
    fact = rng.choice(by_relation()["phrase"])
    return _lookup(rng, rng.choice(fact.refs()), fact.value)


PASSAGES: tuple[WeightedPassage, ...] = (
    (skill_result, 6.0),
    (verdict, 4.0),
    (odd_one_out, 1.5),
    (category_examples, 1.0),
    (description, 1.5),
    (formatted_fact, 3.0),
    (translated_phrase, 0.5),
    (indirect_lookup, 5.0),
    (lookup_series, 5.0),
)


def worked_examples(rng: random.Random) -> str:
    """Draw one to three worked examples."""
    return draw_passages(PASSAGES, rng)
