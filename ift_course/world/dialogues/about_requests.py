"""Dialogues about what is computed: sums, lists, stories, letters, repetition, listings."""

from __future__ import annotations

import random
import re

from ift_course.world import tables
from ift_course.world.collections import collections
from ift_course.world.dialogues.about_facts import Turn, wordings
from ift_course.world.dialogues.casual import casual
from ift_course.world.facts import facts
from ift_course.world.grammar import NUMBER_WORDS, capitalize
from ift_course.world.invented_names import invented_name, invented_word
from ift_course.world.skills import SKILL_BY_NAME, WORDS
from ift_course.world.stories import SCENERY
from ift_course.world.tasks import draw_case

# Skills whose input is a story, which costs five times the tokens of the others.
STORY_SKILLS = ("giver", "place", "when", "thing", "summary", "sentiment")
# Inputs with letters that matter are not put into small letters.
_KEEP_CASE = ("capital_letters", "small_letters", "repeat", "quotation_marks", "twice")


# What people let others say after them.
_PHRASES = (
    "hello", "good morning", "hello everyone", "thank you", "thank you very much", "good night",
    "I like bread", "I am here", "yes and no", "my friend", "one two three", "red and blue",
    "the big house", "happy birthday", "see you tomorrow", "a cat and a dog", "we are friends",
    "nice to meet you", "the sun is warm", "the old king", "goodbye", "a small world",
)  # fmt: skip


def _frame(name: str, rng: random.Random) -> str:
    return rng.choice(wordings("requests.yaml")[name]["questions"])


def skill_request(rng: random.Random) -> list[Turn]:
    """A skill's case in casual words. The cases of the tasks' test split are left out."""
    names = [name for name in wordings("requests.yaml") if name in SKILL_BY_NAME]
    with_story = rng.random() < 0.1
    name = rng.choice([name for name in names if (name in STORY_SKILLS) == with_story])
    return _request(name, rng)


def sum_request(rng: random.Random) -> list[Turn]:
    """A sum or a difference, written as people write them."""
    return _request(rng.choice(("add", "subtract")), rng)


def _request(name: str, rng: random.Random) -> list[Turn]:
    skill = SKILL_BY_NAME[name]
    case = draw_case(skill, rng, "train")
    a, b, *_ = [*re.findall(r"\d+", case.input), "", ""]
    prompt = _frame(skill.name, rng).format(i=case.input, d=case.detail, a=a, b=b)
    prompt = capitalize(prompt) if rng.random() < 0.5 else prompt
    return [(prompt if skill.name in _KEEP_CASE else casual(prompt, rng), case.result)]


def some_text(rng: random.Random) -> str:
    """A word, a name, a few words, or a sentence to work on."""
    fact = rng.choice(facts())
    return rng.choice(
        (
            lambda: rng.choice(WORDS),
            lambda: fact.subject,
            lambda: fact.value,
            lambda: rng.choice(tables.CHARACTERS),
            lambda: invented_name(rng),
            lambda: invented_word(rng),
            lambda: " ".join(rng.sample(WORDS, rng.randint(2, 3))),
            lambda: " ".join((rng.choice(("red", "blue", "big", "old")), rng.choice(WORDS))),
            lambda: rng.choice(SCENERY).rstrip("."),
            lambda: rng.choice(_PHRASES),
            lambda: rng.choice(_PHRASES),
        )
    )()


def known_text(rng: random.Random) -> str:
    """One or two words that the base has read in capital letters, too."""
    fact = rng.choice(facts())
    words = " ".join(rng.sample(WORDS, rng.choice((1, 1, 2))))
    return rng.choice((words, words, fact.value, fact.subject))


def small_letters(rng: random.Random) -> list[Turn]:
    """A word in capital letters, wanted in small ones."""
    text = known_text(rng)
    source = text.upper() if rng.random() < 0.8 else text.capitalize()
    return [(_frame("small_letters", rng).format(i=source), text.lower())]


def capital_letters(rng: random.Random) -> list[Turn]:
    """A word or two, wanted in capital letters."""
    text = known_text(rng)
    return [(_frame("capital_letters", rng).format(i=text), text.upper())]


def repetition(rng: random.Random) -> list[Turn]:
    """Something to say after the user."""
    text = some_text(rng)
    return [(_frame("repeat", rng).format(i=text), text)]


def listing(rng: random.Random) -> list[Turn]:
    """Two to five members of a collection: always its first ones, in alphabetical order."""
    plural, members = rng.choice(list(collections().items()))
    count = min(rng.choice((2, 3, 3, 3, 4, 4, 5)), len(members))
    number = NUMBER_WORDS[count] if rng.random() < 0.7 else str(count)
    prompt = capitalize(_frame("listing", rng).format(n=number, plural=plural))
    return [(casual(prompt, rng), ", ".join(members[:count]))]


def whole_cycle(rng: random.Random) -> list[Turn]:
    """All days or all months, in their order."""
    unit = rng.choice(("day", "month"))
    prompt = _frame(f"all_{unit}s", rng)
    return [(casual(capitalize(prompt), rng), ", ".join(tables.CYCLES[unit]))]
