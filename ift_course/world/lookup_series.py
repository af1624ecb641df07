"""Lookups in indirect questions, alone and in series: what few-shot prompts rest on.

A base that had read lookups one at a time answered a third of the questions behind three worked
examples. In a series, several things of one kind are looked up in one layout, so that the reader
can tell from the first ones what the next line has to be. The passages are prose without questions.
"""

from __future__ import annotations

import random
from functools import cache

from ift_course.world.facts import Fact, by_relation, facts, random_fact
from ift_course.world.grammar import capitalize
from ift_course.world.invented_names import invented_word
from ift_course.world.loader import read_yaml, text_lists
from ift_course.world.passages import two_characters
from ift_course.world.skill_phrases import RESULTS
from ift_course.world.skills import SKILL_BY_NAME, WORDS


@cache
def indirect_questions() -> dict[str, tuple[str, ...]]:
    """Relation name → indirect questions, with `{s}` for the subject."""
    return text_lists(read_yaml("indirect.yaml"), "indirect.yaml")


def indirect_lookup(rng: random.Random) -> str:
    """Somebody wants to know something, in an indirect question, and finds it."""
    fact = random_fact(rng)
    a, b = two_characters(rng)
    what = fact.fill(rng.choice(indirect_questions()[fact.relation.name]))
    frame = rng.choice(
        (
            "{A} wanted to know {w}.\n{o}",
            "{A} wanted to know {w}.\n{o}",
            "{A} wondered {w}.\n{B} knew it.\n{o}",
            "{A} had to find out {w}. {B} wrote:\n{o}",
            "{A} did not know {w}. {B} said: {o}",
            "{A} had forgotten {w}. {B} helped: {o}",
            "{A} wrote down {w}.\n{o}",
            "On the page stood {w}.\n{o}",
        )
    )
    return frame.format(A=a, B=b, w=what, o=fact.value)


# Layouts in which a line begins with what is looked up, and layouts in which something leads to it.
_OPENING = ("{w}\n{o}", "{w}\n{o}", "{w}: {o}", "{w} - {o}")
_LEADING = (
    "{A} wanted to know {w}.\n{o}",
    "{A} wanted to know {w}. {B} said: {o}",
    "{A}: {w}\n{B}: {o}",
    "In: {w}\nOut: {o}",
    "- {w}\n- {o}",
    "* {w}\n{o}",
)


def lookup_series(rng: random.Random) -> str:
    """Two to five lookups of one kind in one layout, one below the other."""
    a, b = two_characters(rng)
    items = rng.choices((_facts_in_words, _skill_cases, _subjects), (7, 2, 2))[0](rng)
    if all(map(_may_open, (what for what, _ in items))):
        layout = rng.choice(_OPENING + _LEADING)
        if rng.random() < 0.7:
            items = [(capitalize(what), value) for what, value in items]
    else:
        layout = rng.choice(_LEADING)
    gap = rng.choice(("\n", "\n\n", "\n\n"))
    return gap.join(layout.format(A=a, B=b, w=what, o=value) for what, value in items)


def carried_series(rng: random.Random) -> str:
    """Three to six subjects within the same meaningless words, each with its value below it.

    What is wanted can be told from the first pairs alone, as in a prompt with worked examples.
    """
    related = rng.choice(list(by_relation().values()))
    chosen = rng.sample(related, min(len(related), rng.randint(3, 6)))
    words = [rng.choice((invented_word, _word))(rng) for _ in range(rng.randint(1, 6))]
    place = rng.randint(0, len(words))
    mark = rng.choice((".", ".", ":", "!", ""))
    gap = rng.choice(("\n", "\n\n", "\n\n"))
    lines = []
    for fact in chosen:
        carrier = " ".join([*words[:place], fact.subject, *words[place:]])
        lines.append(f"{capitalize(carrier)}{mark}\n{fact.value}")
    return gap.join(lines)


def _word(rng: random.Random) -> str:
    return rng.choice(WORDS)


def _may_open(what: str) -> bool:
    """Whether a line may begin with the phrase; "What day comes after Monday" is a question."""
    return what.split()[0] not in "how which what who whom where when from on if in to with".split()


def _facts_in_words(rng: random.Random) -> list[tuple[str, str]]:
    """Facts of one relation in one wording, or of several relations in any."""
    if rng.random() < 0.8:
        related = rng.choice(list(by_relation().values()))
        wordings = (*indirect_questions()[related[0].relation.name], *related[0].relation.refs)
        wording = rng.choice(wordings)
        chosen = rng.sample(related, min(len(related), rng.randint(3, 5)))
        return [(fact.fill(wording), fact.value) for fact in chosen]
    return [(_any_wording(fact, rng), fact.value) for fact in rng.sample(facts(), 4)]


def _any_wording(fact: Fact, rng: random.Random) -> str:
    wordings = (*indirect_questions()[fact.relation.name], *fact.relation.refs)
    return fact.fill(rng.choice(wordings))


def _subjects(rng: random.Random) -> list[tuple[str, str]]:
    """Subjects and values of one relation, which nothing but the pairs themselves tells."""
    related = rng.choice(list(by_relation().values()))
    chosen = rng.sample(related, min(len(related), rng.randint(3, 5)))
    return [(fact.subject, fact.value) for fact in chosen]


def _skill_cases(rng: random.Random) -> list[tuple[str, str]]:
    """Cases of one skill, with a name for its result or the input alone."""
    name = rng.choice(list(RESULTS))
    wording = rng.choice((*RESULTS[name], "{i}"))
    cases = [SKILL_BY_NAME[name].draw(rng) for _ in range(rng.randint(2, 4))]
    return [(wording.format(i=case.input), case.result) for case in cases]
