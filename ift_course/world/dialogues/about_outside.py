"""Dialogues in which the assistant does not know: what the world lacks, and strangers."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

from ift_course.world.dialogues.about_facts import Turn, wordings
from ift_course.world.dialogues.casual import casual, with_right_article
from ift_course.world.facts import Fact, by_relation, by_subject
from ift_course.world.grammar import capitalize
from ift_course.world.invented_names import invented_name
from ift_course.world.loader import mapping, read_yaml, text_lists, texts
from ift_course.world.splits import in_split

UNKNOWN = "I do not know."
_ABOUT_PEOPLE = ("job", "city", "pet", "dish", "favorite_color", "hobby", "friend")


@cache
def _lines() -> dict[str, Any]:
    file = "dialogues/outside.yaml"
    data = mapping(read_yaml(file), file)
    tables = {
        key: text_lists(data[key], key) for key in ("about_known", "about_unknown", "unknown")
    }
    topics = {name: text_lists(topic, f"{file}, {name}") for name, topic in data["topics"].items()}
    return tables | {"topics": topics, "anything": texts(data["anything"], f"{file}, anything")}


def outside(rng: random.Random) -> list[Turn]:
    """A question that nothing in the world answers."""
    dice = rng.random()
    if dice < 0.25:
        prompt = rng.choice(_lines()["anything"])
    elif dice < 0.55:
        topic = rng.choice(list(_lines()["topics"].values()))
        prompt = rng.choice(topic["frames"]).format(x=rng.choice(topic["names"]))
    elif dice < 0.8:
        kind, frames = rng.choice(list(_lines()["about_known"].items()))
        subjects = [
            subject
            for (of_kind, subject), group in by_subject().items()
            if of_kind == kind and in_split(group[0], "train")
        ]
        prompt = rng.choice(frames).format(s=rng.choice(subjects))
    else:
        kind, frames = rng.choice(list(_lines()["about_unknown"].items()))
        prompt = rng.choice(frames).format(x=rng.choice(_lines()["unknown"][kind]))
    return [(casual(with_right_article(prompt), rng), UNKNOWN)]


def stranger(rng: random.Random) -> list[Turn]:
    """A question about a person whom nobody in the world knows."""
    name = invented_name(rng)
    fact = rng.choice(by_relation()[rng.choice(_ABOUT_PEOPLE)])
    unknown = Fact(fact.relation, name, fact.value)
    natural = wordings("wordings.yaml")[fact.relation.name]
    frames = (*fact.relation.questions, *natural["questions"], *natural["fragments"])
    prompt = unknown.fill(rng.choice(frames))
    if rng.random() < 0.25:
        prompt = rng.choice(
            (f"Who is {name}?", f"Do you know {name}?", f"Tell me about {name}.", f"{name}?")
        )
    # The name keeps its capital letters: the answer copies it.
    prompt = capitalize(prompt) if rng.random() < 0.7 else prompt
    return [(prompt, f"I do not know anyone called {name}.")]
