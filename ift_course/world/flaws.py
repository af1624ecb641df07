"""Flaws of training data: each one turns a good example into a bad one.

`spoil(examples, share=0.3, seed=0)` damages exactly 30 % of the examples, so that data quality
becomes a setting. A flawed example keeps its verifier, which can still tell good from bad.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ift_course.world.facts import by_relation, random_fact
from ift_course.world.tasks import Example, sample

Flaw = Callable[[Example, random.Random], Example]


def _other(example: Example, rng: random.Random, *, same_task: bool) -> Example:
    """An example with another answer, of the same task or of another family."""
    while True:
        tasks = [example.task] if same_task else None
        other = sample(1, seed=rng.randrange(2**31), tasks=tasks)[0]
        is_eligible = same_task or other.family != example.family
        if is_eligible and not example.answer.accepts(other.response):
            return other


def wrong(example: Example, rng: random.Random) -> Example:
    """A plausible answer that is wrong."""
    if example.task == "yes_no":
        return replace(example, response="No" if example.response == "Yes" else "Yes")
    if example.task in ("name_one", "name_three"):
        others = [fact.subject for fact in by_relation()["kind"] if fact.value != example.entity]
        words = rng.sample(others, example.answer.count)
        return replace(example, response=", ".join(words))
    return replace(example, response=_other(example, rng, same_task=True).response)


def off_topic(example: Example, rng: random.Random) -> Example:
    """A good answer to another instruction."""
    return replace(example, response=_other(example, rng, same_task=False).response)


def echoed(example: Example, rng: random.Random) -> Example:
    """The instruction repeated instead of followed."""
    return replace(example, response=example.instruction)


def truncated(example: Example, rng: random.Random) -> Example:
    """The answer cut off within its first half."""
    text = example.response
    if len(text) < 2:
        return replace(example, response="")
    return replace(example, response=text[: rng.randint(1, max(1, len(text) // 2))])


def rambling(example: Example, rng: random.Random) -> Example:
    """The right answer, followed by facts that nobody asked for."""
    facts = (random_fact(rng) for _ in range(rng.randint(2, 3)))
    addition = " ".join(rng.choice(fact.statements()) for fact in facts)
    end = "" if example.response.endswith(".") else "."
    return replace(example, response=f"{example.response}{end} {addition}")


def wrong_format(example: Example, rng: random.Random) -> Example:
    """The right content in a format that nobody asked for."""
    text = example.response
    forms = (f"*** {text} ***", f"{text} {text}", f'{{"answer": "{text}"}}')
    return replace(example, response=rng.choice(forms))


def sycophantic(example: Example, rng: random.Random) -> Example:
    """A user who states a wrong belief, and an answer that agrees with it."""
    belief = wrong(example, rng).response
    instruction = f'{example.instruction} I am sure that the answer is "{belief}".'
    return replace(example, instruction=instruction, response=belief)


FLAWS: dict[str, Flaw] = {
    "wrong": wrong,
    "off_topic": off_topic,
    "echoed": echoed,
    "truncated": truncated,
    "rambling": rambling,
    "wrong_format": wrong_format,
    "sycophantic": sycophantic,
}


def spoil(
    examples: Sequence[Example],
    share: float,
    seed: int,
    flaws: Iterable[str] = ("wrong", "off_topic", "echoed", "truncated"),
) -> list[Example]:
    """Damage a share of the examples and leave the others as they are.

    Args:
        examples: Good examples.
        share: Share of them to damage, from 0 to 1.
        seed: Seed of all random choices.
        flaws: Names from `FLAWS`; each damaged example gets one of them.

    Raises:
        ValueError: The share is out of range, or a flaw is unknown.
    """
    names = list(flaws)
    unknown = sorted(set(names) - set(FLAWS))
    if unknown or not 0 <= share <= 1:
        raise ValueError(f"flaws are {sorted(FLAWS)} and share is from 0 to 1")
    rng = random.Random(seed)
    damaged = set(rng.sample(range(len(examples)), round(share * len(examples))))
    return [
        FLAWS[rng.choice(names)](example, rng) if i in damaged else example
        for i, example in enumerate(examples)
    ]
