from random import Random

import numpy as np

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def reference(wins: list[list[int]], steps: int) -> list[float]:
    won = np.array(wins, dtype=float)
    games = won + won.T
    p = np.full(len(won), 1 / len(won))
    for _ in range(steps):
        pairs = np.add.outer(p, p)
        p = won.sum(axis=1) / np.divide(games, pairs, where=games > 0, out=games * 0).sum(axis=1)
        p = p / p.sum()
    return p.tolist()


def compare(learner: Learner, wins: list[list[int]], steps: int) -> None:
    close(learner.bradley_terry(wins, steps), reference(wins, steps), 1e-6)


def votes(rng: Random, models: int, most: int = 20) -> list[list[int]]:
    """Every model has won against every other at least once."""
    return [[0 if i == j else rng.randint(1, most) for j in range(models)] for i in range(models)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, votes(rng, 4), 1)


@points(2)
def test_one_step(learner, rng):
    """One step gives the strengths of the formula."""
    for models in (2, 3, 5):
        compare(learner, votes(rng, models), 1)


@points(2)
def test_several_steps(learner, rng):
    """Every step uses the strengths of the step before, for all models at once."""
    for steps in (2, 3, 7):
        compare(learner, votes(rng, 4), steps)


@points(1, ordinary)
def test_two_models(learner, rng):
    """Of two models, the strengths come to their shares of the games."""
    for wins in ([[0, 3], [1, 0]], [[0, 1], [9, 0]], [[0, 5], [5, 0]]):
        compare(learner, wins, 60)


@points(1, ordinary)
def test_strangers(learner, rng):
    """Models that have never met do not count as opponents."""
    compare(learner, [[0, 3, 0], [1, 0, 4], [0, 2, 0]], 1)
    compare(learner, [[0, 3, 0], [1, 0, 4], [0, 2, 0]], 30)


@points(1, ordinary)
def test_no_wins(learner, rng):
    """A model without a win gets the strength 0."""
    compare(learner, [[0, 2, 3], [1, 0, 2], [0, 0, 0]], 1)
    compare(learner, [[0, 2, 3], [1, 0, 2], [0, 0, 0]], 12)


@points(1, ordinary)
def test_no_steps(learner, rng):
    """Without a step all strengths are equal and sum to 1."""
    compare(learner, [[0, 2, 3], [1, 0, 2], [1, 1, 0]], 0)
    compare(learner, [[0, 2], [1, 0]], 0)


@points(1, ordinary)
def test_refusals(learner, rng):
    """A model that has played no games is refused with a ValueError."""
    refuses(learner.bradley_terry, [[0, 1, 0], [2, 0, 0], [0, 0, 0]], 3)
    refuses(learner.bradley_terry, [[0]], 3)


@points(1, ordinary)
def test_wins_stay(learner, rng):
    """The answer is right, and the table is left unchanged."""
    leaves_inputs_alone(learner, compare, [[0, 2, 3], [1, 0, 2], [1, 1, 0]], 5)
