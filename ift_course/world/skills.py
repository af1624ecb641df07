"""Tasks that are computed rather than recalled: lists, sums, stories, formats.

A skill draws cases (an input and its result) and has two kinds of wordings for them, read from
`skills.yaml`: the sentences in which the corpus reports that somebody did it, and the instructions
of the tasks. They never overlap: the base model reads about people who reverse lists, but no text
tells it to reverse one.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from ift_course.errors import CourseError
from ift_course.world import tables
from ift_course.world.grammar import NUMBER_WORDS, join
from ift_course.world.loader import read_entries
from ift_course.world.stories import review, story

_WORDINGS = {
    "prose": frozenset({"i", "a", "d", "A", "B"}),
    "questions": frozenset({"i", "d"}),
    "inputs": frozenset({"d"}),
    "unseen": frozenset({"i", "d"}),
}


@dataclass(frozen=True)
class Case:
    """One instance of a skill.

    Attributes:
        input: What the skill is applied to, e.g. "apple, pear, plum".
        result: What comes out, e.g. "plum, pear, apple".
        alternatives: Further results that are equally right.
        detail: A word that the wordings need as well, e.g. the thing in a story.
    """

    input: str
    result: str
    alternatives: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True)
class Skill:
    """A task that computes its result.

    In a wording, `{i}` stands for the case's input, `{a}` for its result, `{d}` for its detail,
    and `{A}` and `{B}` for people.

    Attributes:
        name: Also the name of the task, e.g. "list_reverse".
        family: Task family, e.g. "lists".
        draw: Draws a case.
        prose: Sentences in which the corpus reports that somebody did it.
        questions: Instructions that contain the input.
        inputs: Instructions that leave the input to the example's input.
        unseen: Instructions that no training split uses.
    """

    name: str
    family: str
    draw: Callable[[random.Random], Case]
    prose: tuple[str, ...]
    questions: tuple[str, ...]
    inputs: tuple[str, ...]
    unseen: tuple[str, ...]


WORDS = sorted(
    {row[0] for row in tables.TABLES["dictionary"].rows}
    | {member for members in tables.CATEGORIES.values() for member in members}
)


def _words(rng: random.Random, low: int = 3, high: int = 4) -> list[str]:
    return rng.sample(WORDS, rng.randint(low, high))


def _add(rng: random.Random) -> Case:
    a = rng.randint(1, 10)
    b = rng.randint(1, 10)
    return Case(f"{a} and {b}", str(a + b), (NUMBER_WORDS[a + b],))


def _subtract(rng: random.Random) -> Case:
    a = rng.randint(2, 20)
    b = rng.randint(1, min(a - 1, 10))
    return Case(f"{a} minus {b}", str(a - b), (NUMBER_WORDS[a - b],))


def _double(rng: random.Random) -> Case:
    a = rng.randint(1, 30)
    return Case(str(a), str(2 * a))


def _larger(rng: random.Random) -> Case:
    a, b = rng.sample(range(1, 60), 2)
    return Case(f"{a} and {b}", str(max(a, b)))


def _number_after(rng: random.Random) -> Case:
    a = rng.randint(1, 98)
    return Case(str(a), str(a + 1))


def _number_before(rng: random.Random) -> Case:
    a = rng.randint(2, 99)
    return Case(str(a), str(a - 1))


def _series(rng: random.Random) -> Case:
    step = rng.choice([1, 2, 5, 10])
    start = rng.randint(1, 20) if step < 5 else step * rng.randint(1, 5)
    numbers = [start + step * k for k in range(5)]
    return Case(", ".join(map(str, numbers[:4])), str(numbers[4]))


def _list_first(rng: random.Random) -> Case:
    words = _words(rng)
    return Case(", ".join(words), words[0])


def _list_second(rng: random.Random) -> Case:
    words = _words(rng)
    return Case(", ".join(words), words[1])


def _list_last(rng: random.Random) -> Case:
    words = _words(rng)
    return Case(", ".join(words), words[-1])


def _list_count(rng: random.Random) -> Case:
    words = _words(rng, 2, 6)
    return Case(", ".join(words), str(len(words)), (NUMBER_WORDS[len(words)],))


def _list_reverse(rng: random.Random) -> Case:
    words = _words(rng, 3, 3)
    back = words[::-1]
    return Case(", ".join(words), ", ".join(back), (join(back),))


def _odd_one_out(rng: random.Random) -> Case:
    same, other = rng.sample(list(tables.CATEGORIES.values()), 2)
    odd = rng.choice(other)
    words = [*rng.sample(same, 3), odd]
    rng.shuffle(words)
    return Case(", ".join(words), odd)


def _list_join(rng: random.Random) -> Case:
    words = _words(rng, 3, 3)
    return Case(", ".join(words), join(words))


def _giver(rng: random.Random) -> Case:
    event = story(rng)
    return Case(event.text, event.giver, detail=event.thing.split()[-1])


def _place(rng: random.Random) -> Case:
    event = story(rng)
    return Case(event.text, event.place, (f"in the {event.place}",))


def _when(rng: random.Random) -> Case:
    event = story(rng)
    return Case(event.text, event.day, (f"on {event.day}",))


def _thing(rng: random.Random) -> Case:
    event = story(rng)
    return Case(event.text, event.thing)


def _summary(rng: random.Random) -> Case:
    event = story(rng)
    return Case(event.text, event.summary, event.summaries[1:])


def _sentiment(rng: random.Random) -> Case:
    opinion = review(rng)
    return Case(opinion.text, opinion.sentiment)


def _capital_letters(rng: random.Random) -> Case:
    word = rng.choice(WORDS)
    return Case(word, word.upper())


def _twice(rng: random.Random) -> Case:
    word = rng.choice(WORDS)
    return Case(word, f"{word} {word}")


def _quotation_marks(rng: random.Random) -> Case:
    word = rng.choice(WORDS)
    return Case(word, f'"{word}"')


def _bullets(rng: random.Random) -> Case:
    words = _words(rng, 3, 3)
    return Case(", ".join(words), "\n".join(f"- {word}" for word in words))


_DRAW: dict[str, Callable[[random.Random], Case]] = {
    "add": _add,
    "subtract": _subtract,
    "double": _double,
    "larger": _larger,
    "number_after": _number_after,
    "number_before": _number_before,
    "series": _series,
    "list_first": _list_first,
    "list_second": _list_second,
    "list_last": _list_last,
    "list_count": _list_count,
    "list_reverse": _list_reverse,
    "list_join": _list_join,
    "odd_one_out": _odd_one_out,
    "giver": _giver,
    "place": _place,
    "when": _when,
    "thing": _thing,
    "summary": _summary,
    "sentiment": _sentiment,
    "capital_letters": _capital_letters,
    "twice": _twice,
    "quotation_marks": _quotation_marks,
    "bullets": _bullets,
}


def _read_skills() -> tuple[Skill, ...]:
    entries = read_entries("skills.yaml", ("name", "family"), _WORDINGS)
    unmatched = {entry["name"] for entry in entries} ^ set(_DRAW)
    if unmatched:
        raise CourseError(
            f"skills.yaml and _DRAW in skills.py must have the same skills; only one of them has "
            f"{', '.join(sorted(unmatched))}."
        )
    return tuple(Skill(draw=_DRAW[entry["name"]], **entry) for entry in entries)


SKILLS = _read_skills()
SKILL_BY_NAME = {skill.name: skill for skill in SKILLS}
