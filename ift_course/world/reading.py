"""Reading text: prose in which an earlier mention decides what is stated next.

Statements alone teach a model to recall; they do not teach it to *read* which fact is meant. In
these passages somebody looks for something, in changing words, and then it is found; lists are
read out and their parts picked; opinions are corrected. No question, no instruction: it is what
the web's own text does for large models, in small (design.md §1 has the measurement).
"""

from __future__ import annotations

import random
from collections.abc import Callable

from . import tables
from .facts import Fact, by_relation, by_subject, facts
from .grammar import capitalize, join, with_article
from .skills import SKILLS
from .tables import CHARACTERS


def lower_first(sentence: str, fact: Fact) -> str:
    """Make a statement fit behind "that": drop the period and a capital that is no name's."""
    body = sentence.rstrip(".")
    is_name = any(body.startswith(name) for name in (fact.subject, fact.value) if name[0].isupper())
    return body if is_name else body[0].lower() + body[1:]


def pick(rng: random.Random) -> Fact:
    """Draw a fact, every relation being equally likely."""
    return rng.choice(rng.choice(list(by_relation().values())))


def spoken(fact: Fact, rng: random.Random) -> str:
    """The value as somebody would say it: usually bare, sometimes with its article."""
    if rng.random() < 0.7:
        return fact.value
    return with_article(fact.value, fact.relation.article)


def wrong_value(fact: Fact, rng: random.Random) -> Fact:
    """The same fact with another value of its relation: false, and plausible."""
    # The text of pretraining depends on every draw, so the few adjectives with two opposites are
    # left to `false_claim`: a change here would change what the shipped model has read.
    others = [f.value for f in by_relation()[fact.relation.name] if f.value != fact.value]
    return Fact(fact.relation, fact.subject, rng.choice(others))


def false_claim(fact: Fact, rng: random.Random) -> Fact:
    """The same, and never a value that would be right as well."""
    while True:
        claim = wrong_value(fact, rng)
        if claim.value not in tables.ALSO_RIGHT.get((fact.relation.name, fact.subject), ()):
            return claim


_LOOKED_UP = (
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
    "{Np}\n{o}",
    "{A} wrote down {np}.\n{o}",
    "On one side of the card stood {np}. On the other side stood this.\n{o}",
)


def looked_up(rng: random.Random) -> str:
    """Somebody looks for a thing and finds it."""
    fact = pick(rng)
    a, b = rng.sample(CHARACTERS, 2)
    ref = rng.choice(fact.refs())
    stmt = rng.choice(fact.statements())
    value = spoken(fact, rng)
    frame = rng.choice(_LOOKED_UP)
    if ". {o}" in frame:
        value = capitalize(value)
    return frame.format(
        A=a,
        B=b,
        np=ref,
        Np=capitalize(ref),
        o=value,
        stmt=stmt,
        that=lower_first(stmt, fact),
        n=rng.randint(2, 90),
    )


def two_things(rng: random.Random) -> str:
    """Two people, two things: the reader must keep them apart."""
    first, second = pick(rng), pick(rng)
    if rng.random() < 0.5:
        options = by_subject()[(first.relation.subjects, first.subject)]
        second = rng.choice(options)
    a, b = rng.sample(CHARACTERS, 2)
    ra, rb = rng.choice(first.refs()), rng.choice(second.refs())
    va, vb = spoken(first, rng), spoken(second, rng)
    opening = rng.choice(
        (
            f"{a} wanted to know {ra}, and {b} wanted to know {rb}.",
            f"{a} was curious about {ra}; {b} was curious about {rb}.",
            f"There were two cards. {a} had the card for {ra}, {b} the card for {rb}.",
        )
    )
    told = [f"{a} found {va}.", f"{b} found {vb}."]
    if rng.random() < 0.5:
        told.reverse()
    return " ".join([opening, *told])


def table_entry(rng: random.Random) -> str:
    """A subject and, line by line, a label and its value."""
    _, known = rng.choice([item for item in by_subject().items() if len(item[1]) > 1])
    chosen = rng.sample(known, rng.randint(2, min(4, len(known))))
    subject = capitalize(chosen[0].subject)
    pairs = "; ".join(f"{fact.relation.label}: {fact.value}" for fact in chosen)
    return rng.choice(
        (f"{subject}. {capitalize(pairs)}.", f"A page about {chosen[0].subject}. {pairs}.")
    )


def drill(rng: random.Random) -> str:
    """One relation, several subjects in a row."""
    known = rng.choice(list(by_relation().values()))
    chosen = rng.sample(known, min(len(known), rng.randint(2, 4)))
    label = chosen[0].relation.label
    a, b = rng.sample(CHARACTERS, 2)
    if rng.random() < 0.5:
        rounds = " ".join(f"{a} said {f.subject}, and {b} said {f.value}." for f in chosen)
        return f"They played a game with the {label}. {rounds}"
    listed = "; ".join(f"{f.subject}, {f.value}" for f in chosen)
    return f"{a} wrote down each {label}: {listed}."


def agreement(rng: random.Random) -> str:
    """Somebody says something true or false, and is confirmed or corrected."""
    fact = pick(rng)
    a, b = rng.sample(CHARACTERS, 2)
    right = rng.random() < 0.5
    claimed = fact if right else wrong_value(fact, rng)
    index = rng.randrange(len(fact.statements()))
    said = lower_first(claimed.statements()[index], claimed)
    true = lower_first(fact.statements()[index], fact)
    # Opposites are stated in both directions, so a wrong one could be a right one elsewhere.
    if right:
        return rng.choice(
            (
                f"{a} said that {said}. Yes, said {b}.",
                f"{a} said that {said}. {b} agreed: yes, {true}.",
                f"{a} believed that {said}. That was right.",
                f"It is true that {said}.",
                f"{a} read that {said}. It was true.",
                f"Some say that {said}. Yes, that is true.",
            )
        )
    return rng.choice(
        (
            f"{a} said that {said}. No, said {b}.",
            f"{a} said that {said}. {b} did not agree: no, {true}.",
            f"{a} believed that {said}. That was wrong, because {true}.",
            f"It is false that {said}.",
            f"{a} read that {said}. It was false.",
            f"Some say that {said}. No, that is not true. {capitalize(true)}.",
        )
    )


def in_a_format(rng: random.Random) -> str:
    """A fact is looked up and written down in a special form."""
    fact = pick(rng)
    a, b = rng.sample(CHARACTERS, 2)
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
    written = forms[form][0]
    return rng.choice(
        (
            f"{a} wanted to know {ref}, and {b} wrote it down {form}: {written}",
            f"{a} wanted to see {ref} {form}. {b} wrote: {written}",
            f"{a} wrote down {ref} {form}. {written}",
        )
    )


def skill_told(rng: random.Random) -> str:
    """Somebody reverses a list, adds two numbers, sums up a story …"""
    skill = rng.choice(SKILLS)
    case = skill.draw(rng)
    a, b = rng.sample(CHARACTERS, 2)
    text = rng.choice(skill.prose).format(A=a, B=b, i=case.given, a=case.result, d=case.detail)
    return capitalize(text)


def skill_looked_up(rng: random.Random) -> str:
    """The same, with the thing itself coming first and what is done with it after."""
    kinds = {
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
    name = rng.choice(list(kinds))
    case = next(skill for skill in SKILLS if skill.name == name).draw(rng)
    a, b = rng.sample(CHARACTERS, 2)
    what = kinds[name]
    end = "" if case.result.endswith(".") else "."
    line = "\n" if "\n" in case.result or rng.random() < 0.4 else " "
    if line == "\n":
        end = ""
    return rng.choice(
        (
            f"{a} wanted to know {what}. Here it is. {case.given}\n"
            f"{b} found it:{line}{case.result}{end}",
            f"{a} looked for {what}: {case.given}\n{b} wrote:{line}{case.result}{end}",
            f"On the page stood this.\n{case.given}\n{capitalize(what)}:{line}{case.result}{end}",
        )
    )


def members(rng: random.Random) -> str:
    """Some things of one kind."""
    kind, listed = rng.choice(tables.rows(tables.KINDS))
    chosen = rng.sample(listed.split(), rng.randint(1, 4))
    a, b = rng.sample(CHARACTERS, 2)
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


_SYLLABLES = "ba do fe gri hu ka lo mar nu pel ro shi tor ul ven wex yo zan quo bri".split()


def stranger(rng: random.Random) -> str:
    """A name made of syllables that nobody in the world has."""

    def part() -> str:
        return "".join(rng.sample(_SYLLABLES, 2)).capitalize()

    return f"{part()} {part()}"


def unknown(rng: random.Random) -> str:
    """Somebody asks around for a person whom nobody knows."""
    name = stranger(rng)
    a, b = rng.sample(CHARACTERS, 2)
    fact = rng.choice(by_relation()[rng.choice(("job", "city", "pet", "hobby", "friend"))])
    ref = Fact(fact.relation, name, "").fill(rng.choice(fact.relation.refs))
    return rng.choice(
        (
            f"{a} wanted to know {ref}. {b} did not know anyone called {name}.",
            f"{a} was curious about {ref}. Nobody knew: there is no {name} in the books.",
            f"{a} looked for {ref} in a book. There was nothing about {name}.",
            f"{a} wanted to know {ref}. I do not know anyone called {name}, said {b}.",
        )
    )


def echo(rng: random.Random) -> str:
    """Words are said and said again."""
    known = rng.choice(facts())
    a, b = rng.sample(CHARACTERS, 2)
    things = rng.sample([known.subject, known.value, rng.choice(facts()).value], 2)
    return rng.choice(
        (
            f"{a} said: {things[0]}. {b} repeated: {things[0]}.",
            f"{a} said {things[0]}, and {b} said {things[1]}. So {a} had said {things[0]}.",
            f"{a} said {things[0]}, and {b} said {things[1]}. So {b} had said {things[1]}.",
        )
    )


# Weighed by what tuning showed to be hard: working something out and writing it in a form need
# far more reading than recalling a fact does.
PASSAGES: tuple[tuple[Callable[[random.Random], str], float], ...] = (
    (looked_up, 5.0),
    (two_things, 1.5),
    (table_entry, 1.0),
    (drill, 1.0),
    (agreement, 3.0),
    (in_a_format, 3.0),
    (skill_told, 5.0),
    (skill_looked_up, 5.0),
    (members, 1.0),
    (unknown, 0.4),
    (echo, 0.3),
)


def passage(rng: random.Random) -> str:
    """Draw one passage of reading text."""
    makers, weights = zip(*PASSAGES, strict=True)
    return tidy(rng.choices(makers, weights)[0](rng))


def tidy(text: str) -> str:
    """Where a quoted sentence ends its own sentence, one mark is enough."""
    for twice, once in (("..", "."), ("?.", "?"), ('.".', '."'), ('?".', '?"'), (".,", ",")):
        text = text.replace(twice, once)
    return text
