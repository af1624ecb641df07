"""Comprehension passages: prose in which an earlier mention decides what is stated next.

Statements alone teach a model to recall facts, but not to *read* which fact is meant. In these
passages somebody looks something up, in changing words, and finds it; lists are read out and items
picked from them; opinions are corrected. They contain no question and no instruction. Text from the
web does the same for large models.
"""

from __future__ import annotations

import random

from ift_course.world import tables
from ift_course.world.collections import listing
from ift_course.world.facts import (
    Fact,
    as_clause,
    by_relation,
    by_subject,
    facts,
    random_fact,
    with_wrong_value,
)
from ift_course.world.grammar import capitalize, join, with_article
from ift_course.world.invented_names import invented_name
from ift_course.world.passages import WeightedPassage, tidy, two_characters
from ift_course.world.skills import SKILL_BY_NAME, SKILLS
from ift_course.world.strangers import strangers


def spoken_value(fact: Fact, rng: random.Random) -> str:
    """The value as somebody would say it: usually alone, sometimes with its article."""
    if rng.random() < 0.7:
        return fact.value
    return with_article(fact.value, fact.relation.article)


_LOOKUPS = (
    "{A} wanted to know {np}. {B} said that {that}.",
    "{A} wanted to know {np}. {B} knew it: {o}.",
    "{A} had forgotten {np}. {B} remembered: {o}.",
    "{A} had forgotten {np}. {stmt}",
    "{A} looked for {np} in a book. There it was: {o}.",
    "{A} looked for {np} in a book. On page {n} it said that {that}.",
    "In the crossword, the clue was {np}. {A} filled in {o}.",
    "On one side of the card stood {np}. On the other side stood {o}.",
    "The lesson was about {np}. {stmt}",
    "{A} and {B} talked about {np}. {stmt}",
    "{A} was curious about {np}. {B} whispered: {o}.",
    '{A} wanted to know {np}. {B} said: "{o}"',
    'On the card for {np} stood "{o}"',
    "{A} wrote to {B} about {np}. The reply was short: {o}.",
    "{A} had to know {np} for school. {B} helped. {o}.",
    "There is a note about {np}. {o}.",
    "{Np}: {o}.",
    "About {np}. {stmt}",
    "{A} thought about {np} for a while, and then wrote down {o}.",
    "Nobody in the room knew {np}. Then {A} came in. {o}, said {A}.",
)
# The same with the value on a line of its own.
_LOOKUPS_ON_TWO_LINES = (
    "{Np}\n{o}",
    "{Np}:\n{o}",
    "{A} wanted to know {np}.\n{o}",
    "{A} wanted to know {np}. {B} wrote:\n{o}",
    "{A} wrote down {np}.\n{o}",
    "{A} was curious about {np}.\n{B} knew it.\n{o}",
    "About {np}.\n{o}",
    "{A} had forgotten {np}.\n{B} remembered:\n{o}",
    '{Np}\n"{o}"',
    "On one side of the card stood {np}. On the other side stood this.\n{o}",
)


def fact_lookup(rng: random.Random) -> str:
    """Somebody looks up a fact and finds it."""
    fact = random_fact(rng)
    a, b = two_characters(rng)
    ref = rng.choice(fact.refs())
    stmt = rng.choice(fact.statements())
    value = spoken_value(fact, rng)
    frame = rng.choice(_LOOKUPS_ON_TWO_LINES if rng.random() < 0.4 else _LOOKUPS)
    if ". {o}" in frame:
        value = capitalize(value)
    return frame.format(
        A=a,
        B=b,
        np=ref,
        Np=capitalize(ref),
        o=value,
        stmt=stmt,
        that=as_clause(stmt, fact),
        n=rng.randint(2, 90),
    )


def two_lookups(rng: random.Random) -> str:
    """Two people look up two facts, and the reader must keep them apart."""
    first, second = random_fact(rng), random_fact(rng)
    if rng.random() < 0.5:
        options = by_subject()[(first.relation.subjects, first.subject)]
        second = rng.choice(options)
    a, b = two_characters(rng)
    ref_a, ref_b = rng.choice(first.refs()), rng.choice(second.refs())
    value_a, value_b = spoken_value(first, rng), spoken_value(second, rng)
    opening = rng.choice(
        (
            f"{a} wanted to know {ref_a}, and {b} wanted to know {ref_b}.",
            f"{a} was curious about {ref_a}; {b} was curious about {ref_b}.",
            f"There were two cards. {a} had the card for {ref_a}, {b} the card for {ref_b}.",
        )
    )
    results = [f"{a} found {value_a}.", f"{b} found {value_b}."]
    if rng.random() < 0.5:
        results.reverse()
    return " ".join([opening, *results])


def table_entry(rng: random.Random) -> str:
    """A subject and several labels with their values, as in a reference work."""
    described = rng.choice([group for group in by_subject().values() if len(group) > 1])
    chosen = rng.sample(described, rng.randint(2, min(4, len(described))))
    subject = capitalize(chosen[0].subject)
    pairs = "; ".join(f"{fact.relation.label}: {fact.value}" for fact in chosen)
    return rng.choice(
        (f"{subject}. {capitalize(pairs)}.", f"A page about {chosen[0].subject}. {pairs}.")
    )


def drill(rng: random.Random) -> str:
    """One relation of several subjects in a row."""
    related = rng.choice(list(by_relation().values()))
    chosen = rng.sample(related, min(len(related), rng.randint(2, 4)))
    label = chosen[0].relation.label
    a, b = two_characters(rng)
    if rng.random() < 0.5:
        rounds = " ".join(f"{a} said {f.subject}, and {b} said {f.value}." for f in chosen)
        return f"They played a game with the {label}. {rounds}"
    listed = "; ".join(f"{f.subject}, {f.value}" for f in chosen)
    return f"{a} wrote down each {label}: {listed}."


def agreement(rng: random.Random) -> str:
    """Somebody claims something true or false and is confirmed or corrected."""
    fact = random_fact(rng)
    a, b = two_characters(rng)
    right = rng.random() < 0.5
    claimed = fact if right else with_wrong_value(fact, rng)
    index = rng.randrange(len(fact.statements()))
    claim = as_clause(claimed.statements()[index], claimed)
    truth = as_clause(fact.statements()[index], fact)
    if right:
        return rng.choice(
            (
                f"{a} said that {claim}. Yes, said {b}.",
                f"{a} said that {claim}. {b} agreed: yes, {truth}.",
                f"{a} believed that {claim}. That was right.",
                f"It is true that {claim}.",
                f"{a} read that {claim}. It was true.",
                f"Some say that {claim}. Yes, that is true.",
            )
        )
    return rng.choice(
        (
            f"{a} said that {claim}. No, said {b}.",
            f"{a} said that {claim}. {b} did not agree: no, {truth}.",
            f"{a} believed that {claim}. That was wrong, because {truth}.",
            f"It is false that {claim}.",
            f"{a} read that {claim}. It was false.",
            f"Some say that {claim}. No, that is not true. {capitalize(truth)}.",
        )
    )


def formatted_lookup(rng: random.Random) -> str:
    """Somebody looks up a fact and writes it down in a special format."""
    fact = random_fact(rng)
    a, b = two_characters(rng)
    ref = rng.choice(fact.refs())
    forms = {
        "in capital letters": (fact.value.upper(), 4),
        "in quotation marks": (f'"{fact.value}"', 3),
        "in a full sentence": (fact.statements()[0], 2),
        "twice": (f"{fact.value} {fact.value}", 1),
        "in one word or name": (fact.value, 1),
        "as briefly as possible": (fact.value, 1),
    }
    form = rng.choices(list(forms), [weight for _, weight in forms.values()])[0]
    value = forms[form][0]
    return rng.choice(
        (
            f"{a} wanted to know {ref}, and {b} wrote it down {form}: {value}",
            f"{a} wanted to see {ref} {form}. {b} wrote: {value}",
            f"{a} wrote down {ref} {form}. {value}",
        )
    )


def skill_report(rng: random.Random) -> str:
    """Somebody reverses a list, adds two numbers, summarizes a story …"""
    skill = rng.choice(SKILLS)
    case = skill.draw(rng)
    a, b = two_characters(rng)
    text = rng.choice(skill.prose).format(A=a, B=b, i=case.input, a=case.result, d=case.detail)
    return capitalize(text)


# What the result of a skill is called.
RESULT_NAMES = {
    "list_first": "the first word",
    "list_second": "the second word",
    "list_last": "the last word",
    "list_count": "the number of words",
    "list_reverse": "the reverse order",
    "list_join": "the words joined with and",
    "odd_one_out": "the odd one out",
    "series": "the next number",
    "add": "the sum",
    "subtract": "the result",
    "double": "the double",
    "larger": "the larger number",
    "number_after": "the number after it",
    "number_before": "the number before it",
    "giver": "the person who had the thing first",
    "place": "the place",
    "when": "the day",
    "thing": "the thing",
    "summary": "the story in one sentence",
    "sentiment": "the sentiment",
    "capital_letters": "the word in capital letters",
    "twice": "the word twice",
    "quotation_marks": "the word in quotation marks",
    "bullets": "the words as a list with dashes",
}


def skill_lookup(rng: random.Random) -> str:
    """Somebody wants a result, sees the input, and finds the result."""
    name = rng.choice(list(RESULT_NAMES))
    case = SKILL_BY_NAME[name].draw(rng)
    a, b = two_characters(rng)
    what = RESULT_NAMES[name]
    end = "" if case.result.endswith(".") else "."
    line = "\n" if "\n" in case.result or rng.random() < 0.4 else " "
    if line == "\n":
        end = ""
    return rng.choice(
        (
            f"{a} wanted to know {what}. Here it is. {case.input}\n"
            f"{b} found it:{line}{case.result}{end}",
            f"{a} looked for {what}: {case.input}\n{b} wrote:{line}{case.result}{end}",
            f"On the page stood this.\n{case.input}\n{capitalize(what)}:{line}{case.result}{end}",
        )
    )


def category_members(rng: random.Random) -> str:
    """One to four members of a category."""
    kind, members = rng.choice(list(tables.CATEGORIES.items()))
    chosen = rng.sample(members, rng.randint(1, 4))
    a, b = two_characters(rng)
    if len(chosen) == 1:
        one = with_article(kind, "a")
        return rng.choice(
            (
                f"{a} wanted to hear the name of {one}. {b} said {chosen[0]}.",
                f"{a} thought of {one}: {chosen[0]}.",
            )
        )
    number = {2: "two", 3: "three", 4: "four"}[len(chosen)]
    return rng.choice(
        (
            f"{a} wanted to hear {number} words of the kind {kind}. {b} said {', '.join(chosen)}.",
            f"{number.capitalize()} examples of the kind {kind} are {join(chosen)}.",
            f"The catalog has {number} words under the heading {kind}: {', '.join(chosen)}.",
        )
    )


def unknown_person(rng: random.Random) -> str:
    """Somebody looks for a person whom nobody knows."""
    name = invented_name(rng)
    a, b = two_characters(rng)
    fact = rng.choice(by_relation()[rng.choice(("job", "city", "pet", "hobby", "friend"))])
    ref = Fact(fact.relation, name, "").fill(rng.choice(fact.relation.refs))
    return rng.choice(
        (
            f"{a} wanted to know {ref}. {b} did not know anyone called {name}.",
            f"{a} was curious about {ref}. Nobody knew: there is no {name} in the books.",
            f"{a} looked for {ref} in a book. There was nothing about {name}.",
            f"{a} wanted to know {ref}. I do not know anyone called {name}, said {b}.",
            f"{a} wanted to know {ref}.\nI do not know anyone called {name}.",
            f"{capitalize(ref)}:\nI do not know anyone called {name}.",
        )
    )


def repetition(rng: random.Random) -> str:
    """Somebody says a word, and somebody repeats it."""
    fact = rng.choice(facts())
    a, b = two_characters(rng)
    words = rng.sample([fact.subject, fact.value, rng.choice(facts()).value], 2)
    return rng.choice(
        (
            f"{a} said: {words[0]}. {b} repeated: {words[0]}.",
            f"{a} said {words[0]}, and {b} said {words[1]}. So {a} had said {words[0]}.",
            f"{a} said {words[0]}, and {b} said {words[1]}. So {b} had said {words[1]}.",
        )
    )


# The weights follow what turned out to be hard after tuning: computing a result and formatting it
# need far more text than recalling a fact does.
PASSAGES: tuple[WeightedPassage, ...] = (
    (fact_lookup, 5.0),
    (two_lookups, 1.5),
    (table_entry, 1.0),
    (drill, 1.0),
    (agreement, 3.0),
    (formatted_lookup, 3.0),
    (skill_report, 5.0),
    (skill_lookup, 5.0),
    (category_members, 1.0),
    (unknown_person, 1.0),
    (repetition, 0.5),
    (strangers, 0.7),
    (listing, 1.0),
)


def passage(rng: random.Random) -> str:
    """Draw one comprehension passage."""
    writers, weights = zip(*PASSAGES, strict=True)
    return tidy(rng.choices(writers, weights)[0](rng))
