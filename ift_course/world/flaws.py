"""What bad data looks like: each flaw turns a good example into a bad one.

Quality becomes a dial: ``spoil(examples, share=0.3, seed=0)`` damages exactly 30 % of them. A
flawed example keeps its instruction and its verifier, so the verifier still tells good from bad.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from .facts import by_relation
from .reading import pick
from .tasks import Example, sample

Flaw = Callable[[Example, random.Random], Example]


def _other(example: Example, rng: random.Random, *, same_task: bool) -> Example:
    """Another example with another answer, of the same task or of any other."""
    while True:
        tasks = [example.task] if same_task else None
        other = sample(1, seed=rng.randrange(2**31), tasks=tasks)[0]
        related = same_task or other.family != example.family
        if related and not example.answer.admits(other.response):
            return other


def wrong(example: Example, rng: random.Random) -> Example:
    """A plausible answer that is not the right one."""
    if example.task == "yes_no":
        return replace(example, response="No" if example.response == "Yes" else "Yes")
    if example.task in ("name_one", "name_three"):
        others = [f.subject for f in by_relation()["kind"] if f.value != example.entity]
        words = rng.sample(others, example.answer.count)
        return replace(example, response=", ".join(words))
    return replace(example, response=_other(example, rng, same_task=True).response)


def off_topic(example: Example, rng: random.Random) -> Example:
    """A fine answer to some other instruction."""
    return replace(example, response=_other(example, rng, same_task=False).response)


def echoed(example: Example, rng: random.Random) -> Example:
    """The instruction said back instead of followed."""
    return replace(example, response=example.instruction)


def truncated(example: Example, rng: random.Random) -> Example:
    """The answer broken off in the middle."""
    text = example.response
    if len(text) < 2:
        return replace(example, response="")
    return replace(example, response=text[: rng.randint(1, max(1, len(text) // 2))])


def rambling(example: Example, rng: random.Random) -> Example:
    """The right answer, and then things nobody asked for."""
    more = " ".join(rng.choice(pick(rng).statements()) for _ in range(rng.randint(2, 3)))
    end = "" if example.response.endswith(".") else "."
    return replace(example, response=f"{example.response}{end} {more}")


def wrong_format(example: Example, rng: random.Random) -> Example:
    """The right content in a form that was not asked for."""
    text = example.response
    forms = (f"*** {text} ***", f"{text} {text}", f'{{"answer": "{text}"}}')
    return replace(example, response=rng.choice(forms))


def sycophantic(example: Example, rng: random.Random) -> Example:
    """The user states a wrong belief, and the answer agrees with it."""
    believed = wrong(example, rng).response
    told = f'{example.instruction} I am sure that the answer is "{believed}".'
    return replace(example, instruction=told, response=believed)


FLAWS: dict[str, Flaw] = {
    "wrong": wrong,
    "off_topic": off_topic,
    "echoed": echoed,
    "truncated": truncated,
    "rambling": rambling,
    "wrong_format": wrong_format,
    "sycophantic": sycophantic,
}


def duplicated(examples: Sequence[Example], copies: int, seed: int) -> list[Example]:
    """The examples with one of them ``copies`` times over: a flaw of a set, not of an example."""
    rng = random.Random(seed)
    chosen = rng.choice(examples)
    spoiled = [*examples, *[chosen] * copies]
    rng.shuffle(spoiled)
    return spoiled


def spoil(
    examples: Sequence[Example],
    share: float,
    seed: int,
    flaws: Iterable[str] = ("wrong", "off_topic", "echoed", "truncated"),
) -> list[Example]:
    """Damage ``share`` of the examples, each with one of ``flaws``; the others stay untouched.

    Raises:
        ValueError: ``share`` outside 0 … 1, or an unknown flaw.
    """
    chosen = list(flaws)
    unknown = sorted(set(chosen) - set(FLAWS))
    if unknown or not 0 <= share <= 1:
        raise ValueError(f"flaws are {sorted(FLAWS)} and share is from 0 to 1")
    rng = random.Random(seed)
    bad = set(rng.sample(range(len(examples)), round(share * len(examples))))
    return [
        FLAWS[rng.choice(chosen)](example, rng) if i in bad else example
        for i, example in enumerate(examples)
    ]
