"""Dialogues: what the course's own assistant is tuned on, in the words of people who talk.

Everything is drawn from the training split of the world: the entities that a lesson asks about in
a test never occur in a question here.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from ift_course.world.dialogues import about_facts, about_outside, about_requests
from ift_course.world.dialogues.about_facts import Turn
from ift_course.world.dialogues.casual import casual, plain
from ift_course.world.dialogues.held_out import never_trained
from ift_course.world.loader import read_yaml
from ift_course.world.tasks import FACT_TASKS, TASKS, sample

# Task families with a story to read, which costs five times the tokens of the others; and the rest.
# "yes_no" is missing: the assistant says what is right before it judges (`with_verdict`).
LONG = ("extraction", "summary", "sentiment")
SHORT = ("words", "sequences", "arithmetic", "lists", "format", "writing")


def small_talk(rng: random.Random) -> list[Turn]:
    """A greeting, a thank-you, a question about the assistant itself."""
    topic = rng.choice(read_yaml("dialogues/small_talk.yaml"))
    if "parts" in topic and rng.random() < 0.9:
        prompt = "".join(map(rng.choice, topic["parts"])) + rng.choice(topic["end"])
        return [(prompt if rng.random() < 0.7 else prompt.lower(), topic["answer"])]
    return [(casual(rng.choice(topic["user"]), rng), topic["answer"])]


def task_example(rng: random.Random) -> list[Turn]:
    """An example of one of the computed tasks of the lessons; those with a story are rarer."""
    families = LONG if rng.random() < 0.2 else SHORT
    computed = [t.name for t in TASKS if t.family in families and t.name not in FACT_TASKS]
    example = sample(1, seed=rng.randrange(2**31), tasks=computed)[0]
    prompt = f"{example.instruction}\n{example.input}" if example.input else example.instruction
    return [(prompt, example.response)]


def fact_with_input(rng: random.Random) -> list[Turn]:
    """A fact task whose subject stands on a line of its own."""
    fact = about_facts.draw_fact(rng)
    prompt = f"{rng.choice(fact.relation.inputs)}\n{fact.subject}"
    return [(casual(prompt, rng), fact.value)]


def chat(rng: random.Random) -> list[Turn]:
    """A conversation of two or three turns about different things."""
    parts = [
        write(rng)
        for write in rng.choices((about_facts.fact_dialogue, about_outside.outside,
                                  about_requests.listing, about_requests.skill_request,
                                  small_talk), (5, 1, 1, 1, 3), k=rng.choice((2, 2, 3)))
    ]  # fmt: skip
    return [turn for part in parts for turn in part][:3]


# Kinds of dialogues and how often each is drawn.
KINDS: dict[Callable[[random.Random], list[Turn]], float] = {
    about_facts.fact_dialogue: 30,
    fact_with_input: 2,
    about_facts.claim_dialogue: 9,
    about_facts.closed_question: 9,
    about_facts.description_dialogue: 2,
    about_requests.skill_request: 16,
    about_requests.sum_request: 6,
    about_requests.small_letters: 3,
    about_requests.capital_letters: 4,
    about_requests.repetition: 5,
    about_requests.listing: 5,
    about_requests.whole_cycle: 0.6,
    about_outside.outside: 15,
    about_outside.stranger: 4,
    small_talk: 17,
    task_example: 5,
    chat: 5,
}


def dialogues(n: int, *, seed: int) -> list[list[Turn]]:
    """Draw conversations, each a list of (user, assistant) turns.

    None of them has a prompt that the assistant is measured on (`held_out`).

    Args:
        n: Number of conversations.
        seed: Seed of all random choices.
    """
    rng = random.Random(f"{seed}-dialogues")
    writers, weights = list(KINDS), list(KINDS.values())
    result: list[list[Turn]] = []
    while len(result) < n:
        turns = rng.choices(writers, weights)[0](rng)
        if not any(plain(prompt) in never_trained() for prompt, _ in turns):
            result.append(turns)
    return result
