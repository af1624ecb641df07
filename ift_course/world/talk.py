"""Talk: the words of people who speak and jot down, which no other text of the corpus has.

An assistant that was tuned on a base without these passages took every casual wording for something
unknown: the base had never met "uppercase", "+", a country in small letters, or more than one bee.
Here people greet and thank each other, note facts as one types them into a search box, count, copy,
and compare what somebody said with what is true. None of it is a question or an instruction.
"""

from __future__ import annotations

import random
from functools import cache

from ift_course.world.collections import collections
from ift_course.world.dialogues.about_facts import with_verdict
from ift_course.world.dialogues.casual import plain, with_right_article
from ift_course.world.dialogues.held_out import development_turns
from ift_course.world.drills import strange_name
from ift_course.world.facts import Fact, as_clause, by_relation, facts, false_claim, random_fact
from ift_course.world.grammar import NUMBER_WORDS, capitalize, plural_of
from ift_course.world.loader import read_yaml, text_lists
from ift_course.world.passages import WeightedPassage, draw_passages, two_characters
from ift_course.world.skills import WORDS

_SMALL_TALK = (
    "Hello, said {A}. Hello, {B}, said {B}'s friend.",
    "Hi there, said {A}. Hi, friend, said {B}.",
    "Good morning, said {A}. Good morning, said {B}.",
    "Good evening, said {A}. Good evening, said {B}. It was late.",
    "Good day, said {A}, and {B} said good day, too.",
    "{A} was well today. I am fine, thank you, said {A}.",
    "I am well today, said {A}. I am glad, said {B}.",
    "{A} thanked {B} for the help. You are welcome, said {B}.",
    "Thanks, said {A}. You are welcome, said {B}. It was a pleasure.",
    "That was quick and helpful, said {A}. Thank you. You are welcome, said {B}.",
    "Bye, said {A}. Goodbye, said {B}. See you tomorrow.",
    "OK, bye, said {A}, and {B} said goodbye.",
    "{A} was talking to somebody new. I am {B}, said {B}.",
    "My name is {B}, said {B}. {A} had not known the name.",
    "{A} is good at music. {B} is good at numbers and can add them.",
    "I can help you, said {A}. {B} was glad about the help.",
    "Sorry, said {A}. No problem, said {B}.",
    "{A} knew little about computers, and {B} knew nothing about them.",
    "{A} bought vegetables for a soup. {B} made the soup.",
    "All right, said {A}. Fine, said {B}.",
)


def small_talk(rng: random.Random) -> str:
    """Two people greet, thank, or leave each other."""
    a, b = two_characters(rng)
    return rng.choice(_SMALL_TALK).format(A=a, B=b)


@cache
def _headings() -> dict[str, tuple[str, ...]]:
    """Name of a relation → the headings under which its facts are jotted down."""
    return text_lists(read_yaml("notes.yaml"), "notes.yaml")


def note(rng: random.Random) -> str:
    """A fact as somebody jots it down, often without capital letters: "capital of egypt"."""
    fact = random_fact(rng)
    wording = rng.choice([*_headings()[fact.relation.name], *fact.relation.refs])
    line = with_right_article(fact.fill(wording))
    dice = rng.random()
    line = line.lower() if dice < 0.5 else capitalize(line) if dice < 0.8 else line
    if plain(line) in development_turns():
        return small_talk(rng)
    return line + rng.choice(("\n", "\n", ": ", " = ", ":\n")) + fact.value


_PLURALS = {
    "sound": ("{S} make the noise {o}.", "The noise that {s} make is {o}.", "{S} say {o}."),
    "diet": ("{S} eat {o}.", "Food for {s}: {o}.", "{S} like to eat {o}."),
    "home": ("{S} live in the {o}.", "One finds {s} in the {o}.", "The home of {s} is the {o}."),
    "young": ("Young {s} are called {o}.", "A young one of the {s} is called {o}."),
}


def many_animals(rng: random.Random) -> str:
    """What all animals of a kind eat, say, or are called when they are young."""
    name = rng.choice(list(_PLURALS))
    chosen = rng.sample(by_relation()[name], rng.randint(1, 3))
    wording = rng.choice(_PLURALS[name])
    return " ".join(
        wording.format(s=plural_of(f.subject), S=capitalize(plural_of(f.subject)), o=f.value)
        for f in chosen
    )


_SUMS = ("{a} + {b} = {sum}", "{a} plus {b} is {sum}", "{a} plus {b}\n{sum}", "{a} + {b}\n{sum}")
_DIFFERENCES = (
    "{high} - {low} = {rest}",
    "{high} minus {low} is {rest}",
    "{high} minus {low}\n{rest}",
    "{high} - {low}\n{rest}",
    "{a} or {b}: {high} is bigger",
)


def signs(rng: random.Random) -> str:
    """Sums and differences with signs, and the bigger of two numbers."""
    lines = []
    for _ in range(rng.randint(2, 5)):
        a, b = rng.randint(1, 20), rng.randint(1, 20)
        high, low = max(a, b), min(a, b)
        wording = rng.choice(
            (
                "{a} + {b} = {sum}",
                "{a} plus {b} is {sum}",
                "{a} plus {b}\n{sum}",
                "{a} + {b}\n{sum}",
            )
            if rng.random() < 0.5
            else (
                "{high} - {low} = {rest}",
                "{high} minus {low} is {rest}",
                "{high} minus {low}\n{rest}",
                "{high} - {low}\n{rest}",
                "{a} or {b}: {high} is bigger",
            )
        )
        lines.append(wording.format(a=a, b=b, sum=a + b, high=high, low=low, rest=high - low))
    return "\n".join(lines)


def letters(rng: random.Random) -> str:
    """Words in uppercase and in lowercase."""
    lines = []
    for _ in range(rng.randint(2, 4)):
        text = rng.choice((rng.choice(WORDS), random_fact(rng).value, random_fact(rng).subject))
        upper, lower = text.upper(), text.lower()
        wording = rng.choice(
            (
                "{text} in uppercase is {upper}",
                "uppercase: {text}\n{upper}",
                "the word {text} in uppercase\n{upper}",
                "{upper} in lowercase is {lower}",
                "lowercase: {upper}\n{lower}",
                "{upper}, made small, is {lower}",
                "{text} in capitals\n{upper}",
            )
        )
        lines.append(wording.format(text=text, upper=upper, lower=lower))
    return "\n".join(lines)


def echo(rng: random.Random) -> str:
    """A word or a few that one says after another."""
    a, b = two_characters(rng)
    text = rng.choice(
        (
            rng.choice(WORDS),
            " ".join(rng.sample(WORDS, rng.randint(2, 3))),
            strange_name(rng),
            rng.choice(facts()).subject,
            ", ".join(rng.sample(WORDS, 3)),
        )
    )
    return rng.choice(
        (
            f"{a} said {text}, and {b} said after {a}: {text}",
            f"{a} had to say: {text}\n{text}",
            f"{b} repeated after {a}: {text}\n{text}",
            f"{a} copied the words: {text}\n{text}",
        )
    )


def judgement(rng: random.Random) -> str:
    """What somebody believes, what is true, and whether the two agree."""
    fact = random_fact(rng)
    right = rng.random() < 0.5
    claimed: Fact = fact if right else false_claim(fact, rng)
    clause = as_clause(rng.choice(claimed.statements()), claimed)
    a, b = two_characters(rng)
    if rng.random() < 0.25:
        same = "the same" if right else "not the same"
        return f"{a} said {claimed.value}, {b} said {fact.value}. That is {same}."
    frame = rng.choice(
        (
            "{a} said that {c}. {v}",
            "{a} thought that {c}. {v}",
            "{a} believed that {c}.\n{v}",
            "{a} wanted to know if {c}.\n{v}",
            "{C}, said {a}.\n{v}",
        )
    )
    return frame.format(a=a, c=clause, C=capitalize(clause), v=with_verdict(fact, right))


def same_or_not(rng: random.Random) -> str:
    """Two words at a time, and whether they are the same; behind several pairs this is easy."""
    words = [*rng.sample(WORDS, 3), random_fact(rng).value, random_fact(rng).value]
    wording = rng.choice(
        (
            "{x} and {y}: {v}",
            "{x}, {y}\n{v}",
            "{x} is {y}. So {v}.",
            "Somebody said {x}. It is {y}. So {v}.",
            "{a} wrote {x}, {b} wrote {y}. So {v}.",
        )
    )
    a, b = two_characters(rng)
    lines = []
    for _ in range(rng.randint(2, 6)):
        x, other = rng.sample(words, 2)
        right = rng.random() < 0.5 or x == other
        verdict = "yes" if right else "no"
        lines.append(wording.format(x=x, y=x if right else other, v=verdict, a=a, b=b))
    return "\n".join(lines)


def counted_list(rng: random.Random) -> str:
    """The first members of a collection, as many as were wanted."""
    plural, members = rng.choice(list(collections().items()))
    count = rng.randint(1, min(5, len(members)))
    number = NUMBER_WORDS[count] if rng.random() < 0.6 else str(count)
    a, _ = two_characters(rng)
    frame = rng.choice(
        (
            "{N} {plural}\n{list}",
            "{N} {plural}: {list}",
            "{a} wanted to hear {n} {plural}.\n{list}",
            "{a} needed {n} {plural}.\n{list}",
        )
    )
    if count == 1:
        return f"{a} counted the {plural}.\n{', '.join(members[:5])}"
    return frame.format(
        N=capitalize(number), n=number, plural=plural, a=a, list=", ".join(members[:count])
    )


PASSAGES: tuple[WeightedPassage, ...] = (
    (small_talk, 2.0),
    (note, 6.0),
    (many_animals, 2.0),
    (signs, 3.0),
    (letters, 3.0),
    (echo, 2.0),
    (judgement, 7.0),
    (same_or_not, 6.0),
    (counted_list, 2.0),
)


def talk(rng: random.Random) -> str:
    """Draw one to three passages of talk."""
    return draw_passages(PASSAGES, rng)
