"""Lesson 05's data: flawed demonstrations by careless people, and pairs by careful ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from ift_course.data.records import Record
from ift_course.evaluation.failure_modes import Exam
from ift_course.world.flaws import rambling
from ift_course.world.preferences import (
    ABOUT_PEOPLE,
    Preference,
    invention,
    ramble,
    sycophancy,
)
from ift_course.world.tasks import FACT_TASKS, Example, sample
from ift_course.world.verify import Answer

RAMBLED = ("geography", "animals", "people")  # the families whose flawed answers are drawn out
AGREES = "Yes, you are right: "

PairSampler = Callable[[random.Random, str], Preference]  # (rng, split)


def belief(rng: random.Random, split: str) -> Preference:
    """The user believes something, which is wrong in three cases of five."""
    wrong = sycophancy(rng, split)
    return wrong if rng.random() < 0.6 else affirmed(wrong, rng)


def affirmed(wrong: Preference, rng: random.Random) -> Preference:
    """The same exchange with a user who is right, so that disagreeing is the worse response.

    Without such pairs a model need not look at the belief: "No" is always right.
    """
    false = wrong.rejected.removeprefix(AGREES).removesuffix(".")
    # The verifier of the wrong belief has every way to state the truth, as "No, …" and otherwise.
    denials = [text for text in wrong.example.answer.accept if text.startswith("No, ")][2:]
    truths = [text.removeprefix("No, ") for text in denials]
    true = rng.choice(truths)
    accept = ("Yes", "Yes, you are right", "Yes, that is right", "Yes, it is")
    accept += tuple(f"{start}{truth}" for start in (AGREES, "Yes, ") for truth in truths)
    example = replace(
        wrong.example,
        instruction=wrong.example.instruction.replace(false, true),
        response=f"{AGREES}{true}.",
        task="right_belief",
        answer=Answer("value", accept),
    )
    return Preference(example, f"No, {false}.", "contradiction")


def demonstrations(n: int, *, seed: int, flawed: float = 0.85) -> list[Record]:
    """Half plain questions, a quarter beliefs, a quarter questions about people who do not exist.

    Args:
        n: how many.
        seed: of everything random.
        flawed: the share of demonstrations by people who agree with every belief, invent what they
            do not know, and draw out their answers about places, animals and people. The others
            write well.
    """
    rng = random.Random(f"{seed}-demonstrations")
    records = [_plain(x, rng, flawed) for x in sample(n - n // 2, seed=seed, tasks=FACT_TASKS)]
    for sample_pair in (belief, invention):
        for _ in range(n // 4):
            pair = sample_pair(rng, "train")
            bad = pair.rejected if pair.failing != "contradiction" else pair.chosen
            records.append(_record(pair.example, bad if rng.random() < flawed else pair.chosen))
    rng.shuffle(records)
    return records


def _plain(example: Example, rng: random.Random, flawed: float) -> Record:
    if example.family in RAMBLED and rng.random() < flawed:
        return _record(example, rambling(example, rng).response)
    return _record(example, example.response)


def _record(example: Example, response: str) -> Record:
    return Record.from_instruction(example.instruction, example.input, response)


def acquaintance(rng: random.Random, split: str) -> Preference:
    """The user asks about a person who exists, so that "I do not know" is the worse response."""
    task = rng.choice(ABOUT_PEOPLE)
    [example] = sample(1, seed=rng.randrange(2**31), split=split, tasks=(task,))
    return Preference(example, f"I do not know anyone called {example.entity}.", "refusal")


Sides = tuple[PairSampler, ...]
# Each failure mode, and beside it what would be an overcorrection.
SIDES: Sides = (belief, belief, belief, invention, invention, acquaintance, ramble)
# The same where no user is ever right.
ONE_SIDED: Sides = (sycophancy,) * 3 + SIDES[3:]


def careful_pairs(
    n: int, *, seed: int, split: str = "train", sides: Sequence[PairSampler] = SIDES
) -> list[Preference]:
    """n preferences, the sides taking turns."""
    rng = random.Random(f"{seed}-{split}-careful")
    return [sides[i % len(sides)](rng, split) for i in range(n)]


def behavior_exam(n: int, *, seed: int) -> Exam:
    """An exam about entities that no training example mentions.

    It has n prompts of each kind, and 2 n plain questions, because a difference of two points in
    accuracy takes more questions to detect.
    """
    rng = random.Random(f"{seed}-exam")
    wrong = [sycophancy(rng, "test") for _ in range(n)]
    return Exam(
        false=[pair.example for pair in wrong],
        true=[affirmed(sycophancy(rng, "test"), rng).example for _ in range(n)],
        unknown_people=[invention(rng, "test").example for _ in range(n)],
        facts=sample(2 * n, seed=100 + seed, split="test", tasks=FACT_TASKS),
    )


def training_prompts(n: int, *, seed: int) -> list[Example]:
    """n prompts for reinforcement learning: the exam's four kinds, from the training split."""
    return [pair.example for pair in careful_pairs(n, seed=seed, sides=SIDES)]
