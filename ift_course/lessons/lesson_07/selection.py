"""Which of a pool's answers a student learns from: each choice returns picks.

A pick is (index of the instruction, index of the answer). All choices except `everything` take as
many answers as there are instructions, so that every student learns from the same number.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from ift_course.data.records import Record
from ift_course.lessons.lesson_07.pipeline import Pool

Picks = list[tuple[int, int]]
Score = Callable[[int, int], float]


def everything(pool: Pool, seed: int) -> Picks:
    """All answers."""
    return [(i, j) for i, item in enumerate(pool) for j in range(len(item.answers))]


def one_each(pool: Pool, seed: int) -> Picks:
    """Any one answer to each instruction."""
    rng = random.Random(seed)
    return [(i, rng.randrange(len(item.answers))) for i, item in enumerate(pool)]


def best_of_all(pool: Pool, seed: int) -> Picks:
    """The tenth of all answers with the highest rewards, whichever instructions they answer."""
    # Shuffled first, so that chance decides between equal rewards.
    picks = random.Random(seed).sample(everything(pool, seed), sum(len(a.answers) for a in pool))
    return sorted(picks, key=lambda pick: -pool[pick[0]].rewards[pick[1]])[: len(pool)]


def best_of_each(pool: Pool, seed: int) -> Picks:
    """The answer with the highest reward to each instruction."""
    return _best_of_each(pool, seed, lambda i, j: pool[i].rewards[j])


def shortest(pool: Pool, seed: int) -> Picks:
    """The answer with the fewest words to each instruction: a choice without any judge."""
    return _best_of_each(pool, seed, lambda i, j: -len(pool[i].answers[j].text.split()))


def verified(pool: Pool, seed: int) -> Picks:
    """A right answer to each instruction that has one, then further right ones to fill up."""
    right = [item.right for item in pool]
    rng = random.Random(seed)
    good = [(i, j) for i, j in everything(pool, seed) if right[i][j]]
    rng.shuffle(good)
    first = list({i: (i, j) for i, j in reversed(good)}.values())
    more = [pick for pick in good if pick not in set(first)]
    return [*first, *more][: len(pool)]


# The names as the lesson shows them.
CHOICES: dict[str, Callable[[Pool, int], Picks]] = {
    "all": everything,
    "random, one each": one_each,
    "judge's best of all": best_of_all,
    "judge's best of each": best_of_each,
    "shortest of each": shortest,
    "verifier's best": verified,
}


def records(pool: Pool, picks: Sequence[tuple[int, int]]) -> list[Record]:
    """The student's training set."""
    return [
        Record.from_instruction(pool[i].instruction, "", pool[i].answers[j].text) for i, j in picks
    ]


def share_right(pool: Pool, picks: Sequence[tuple[int, int]]) -> float:
    """The share of the picks that the verifier finds right."""
    right = [item.right for item in pool]
    return sum(right[i][j] for i, j in picks) / len(picks)


def _best_of_each(pool: Pool, seed: int, score: Score) -> Picks:
    """The answer of each instruction with the highest score; between equals, chance decides."""
    rng = random.Random(seed)
    return [
        (i, max(range(len(item.answers)), key=lambda j: (score(i, j), rng.random())))
        for i, item in enumerate(pool)
    ]
