"""Lesson 05's data: demonstrations by careless people, and pairs by careful ones."""

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

RAMBLED = ("geography", "animals", "people")  # the families whose answers the careless draw out
AGREES = "Yes, you are right: "


def belief(rng: random.Random, split: str) -> Preference:
    """The user believes something, which is wrong in three cases of five."""
    wrong = sycophancy(rng, split)
    return wrong if rng.random() < 0.6 else affirmed(wrong, rng)


def affirmed(wrong: Preference, rng: random.Random) -> Preference:
    """The same exchange with a user who is right; to disagree is the worse response now.

    Without such pairs a model need not look at the belief: "No" is always right.
    """
    claimed = wrong.rejected.removeprefix(AGREES).removesuffix(".")
    # The verifier of the wrong belief has every way to state the truth, as "No, …" and otherwise.
    stated = [text for text in wrong.example.answer.accept if text.startswith("No, ")][2:]
    truths = [text.removeprefix("No, ") for text in stated]
    said = rng.choice(truths)
    accept = ("Yes", "Yes, you are right", "Yes, that is right", "Yes, it is")
    accept += tuple(f"{start}{truth}" for start in (AGREES, "Yes, ") for truth in truths)
    example = replace(
        wrong.example,
        instruction=wrong.example.instruction.replace(claimed, said),
        response=f"{AGREES}{said}.",
        task="right_belief",
        answer=Answer("value", accept),
    )
    return Preference(example, f"No, {claimed}.", "contradiction")


def demonstrations(n: int, *, seed: int, careless: float = 0.85) -> list[Record]:
    """Half plain questions, a quarter beliefs, a quarter questions about people who do not exist.

    careless: the share of people who agree with every belief, invent what they do not know, and
        draw out their answers about places, animals and people. The others write well.
    """
    rng = random.Random(f"{seed}-demonstrations")
    rows = [_answered(x, rng, careless) for x in sample(n - n // 2, seed=seed, tasks=FACT_TASKS)]
    for draw in (belief, invention):
        for _ in range(n // 4):
            pair = draw(rng, "train")
            bad = pair.rejected if pair.failing != "contradiction" else pair.chosen
            rows.append(_row(pair.example, bad if rng.random() < careless else pair.chosen))
    rng.shuffle(rows)
    return rows


def _answered(example: Example, rng: random.Random, careless: float) -> Record:
    if example.family in RAMBLED and rng.random() < careless:
        return _row(example, rambling(example, rng).response)
    return _row(example, example.response)


def _row(example: Example, response: str) -> Record:
    return Record.from_instruction(example.instruction, example.input, response)


def acquaintance(rng: random.Random, split: str) -> Preference:
    """The user asks about a person who exists: now not to know is the worse response."""
    task = rng.choice(ABOUT_PEOPLE)
    [example] = sample(1, seed=rng.randrange(2**31), split=split, tasks=(task,))
    return Preference(example, f"I do not know anyone called {example.entity}.", "refusal")


Sides = tuple[Callable[[random.Random, str], Preference], ...]
# Each failing, and beside it what would be too much of the cure.
SIDES: Sides = (belief, belief, belief, invention, invention, acquaintance, ramble)
# The same where no user is ever right.
ONE_SIDED: Sides = (sycophancy,) * 3 + SIDES[3:]


def careful_pairs(
    n: int, *, seed: int, split: str = "train", sides: Sequence[Callable] = SIDES
) -> list[Preference]:
    """n preferences, the sides taking turns."""
    rng = random.Random(f"{seed}-{split}-careful")
    return [sides[i % len(sides)](rng, split) for i in range(n)]


def exam(n: int, *, seed: int) -> Exam:
    """n prompts of each kind, of plain questions 2 n, about what no training example mentions.

    Accuracy is to be told from itself minus two points, and that takes more questions.
    """
    rng = random.Random(f"{seed}-exam")
    wrong = [sycophancy(rng, "test") for _ in range(n)]
    return Exam(
        false=[pair.example for pair in wrong],
        true=[affirmed(sycophancy(rng, "test"), rng).example for _ in range(n)],
        unknown_people=[invention(rng, "test").example for _ in range(n)],
        facts=sample(2 * n, seed=100 + seed, split="test", tasks=FACT_TASKS),
    )


def practice(n: int, *, seed: int) -> list[Example]:
    """n prompts for reinforcement learning: the exam's four kinds, from the training split."""
    return [pair.example for pair in careful_pairs(n, seed=seed, sides=SIDES)]
