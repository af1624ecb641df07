"""Which of a pool's answers a student learns from: each choice returns picks.

A pick is (index of the question, index of the answer). All choices but `everything` take one answer
to each question; `verified` leaves out questions that have no right one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from ift_course.data.records import Record
from ift_course.lessons.lesson_07.pipeline import Pool, record, text_of

Picks = list[tuple[int, int]]


def everything(pool: Pool, seed: int) -> Picks:
    """All answers."""
    return [(i, j) for i, item in enumerate(pool) for j in range(len(item.answers))]


def one_each(pool: Pool, seed: int) -> Picks:
    """Any one answer to each question."""
    rng = random.Random(seed)
    return [(i, rng.randrange(len(item.answers))) for i, item in enumerate(pool)]


def best_of_all(pool: Pool, seed: int) -> Picks:
    """The tenth of all answers with the highest rewards, whichever questions they answer."""
    # Shuffled first, so that chance decides between equal rewards.
    picks = random.Random(seed).sample(everything(pool, seed), sum(len(a.answers) for a in pool))
    return sorted(picks, key=lambda pick: -pool[pick[0]].rewards[pick[1]])[: len(pool)]


def best_of_each(pool: Pool, seed: int) -> Picks:
    """The answer with the highest reward to each question; between equals, chance decides."""
    rng = random.Random(seed)
    return [
        (i, max(range(len(item.answers)), key=lambda j: (item.rewards[j], rng.random())))
        for i, item in enumerate(pool)
    ]


def verified(pool: Pool, seed: int) -> Picks:
    """Rejection sampling: any one right answer to each question that has one."""
    rng = random.Random(seed)
    right = [[j for j, is_right in enumerate(item.right) if is_right] for item in pool]
    return [(i, rng.choice(indices)) for i, indices in enumerate(right) if indices]


ALL, RANDOM, JUDGE, VERIFIER = "all", "random of each", "judge's best of each", "verified of each"
JUDGE_OF_ALL = "judge's best of all"
CHOICES: dict[str, Callable[[Pool, int], Picks]] = {
    ALL: everything,
    RANDOM: one_each,
    JUDGE_OF_ALL: best_of_all,
    JUDGE: best_of_each,
    VERIFIER: verified,
}


def records(pool: Pool, picks: Sequence[tuple[int, int]]) -> list[Record]:
    """The student's training set."""
    return [record(text_of(pool[i].question), pool[i].answers[j].text) for i, j in picks]


def share_right(pool: Pool, picks: Sequence[tuple[int, int]]) -> float:
    """The share of the picks that the verifier finds right."""
    right = [item.right for item in pool]
    return sum(right[i][j] for i, j in picks) / len(picks)
