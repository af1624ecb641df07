import math
from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, unchanged
from ift_course.exercises.learner import Learner


def loss(pc, pr, rc, rr, beta: float):
    margins = beta * (pc - rc) - beta * (pr - rr)
    return torch.nn.functional.softplus(-margins).mean()


def reference(parts, beta: float) -> tuple:
    """By autograd, in float64."""
    exact = [torch.tensor(part, dtype=torch.float64) for part in parts]
    for part in exact[:2]:
        part.requires_grad_()
    return tuple(x.float() for x in torch.autograd.grad(loss(*exact, beta), exact[:2]))


def compare(learner: Learner, parts, beta: float) -> None:
    got = learner.dpo_gradient(*map(torch.tensor, parts), beta)
    close(
        got,
        reference(parts, beta),
        1e-6,
        why="Item 0 is for the chosen, item 1 for the rejected responses.",
    )


def pairs(rng: Random, count: int) -> list[list[float]]:
    return [[rng.uniform(-9, -5) for _ in range(count)] for _ in range(4)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, pairs(rng, 1), rng.uniform(0.1, 1.0))


@points(2)
def test_one_pair(learner, rng):
    """The derivatives of one pair are those that autograd finds."""
    for beta in (0.1, 1.0):
        compare(learner, pairs(rng, 1), beta)


@points(1, ordinary)
def test_at_the_start(learner, rng):
    """Where policy and reference agree, the push is beta / 2, in both directions."""
    chosen, rejected = pairs(rng, 1)[:2]
    compare(learner, [chosen, rejected, chosen, rejected], 0.3)


@points(2)
def test_mean_over_pairs(learner, rng):
    """The loss is a mean, so each of n pairs gets an n-th of the push."""
    for count in (2, 5):
        compare(learner, pairs(rng, count), 0.5)


@points(2, ordinary)
def test_wrong_pairs_are_pushed(learner, rng):
    """A pair that is wrong is pushed by almost beta, one that is right hardly at all."""
    parts = [[-20.0, -2.0], [-2.0, -20.0], [-8.0, -8.0], [-8.0, -8.0]]
    compare(learner, parts, 0.5)
    compare(learner, [[-8.0], [-9.0], [-5.0], [-9.0]], 1.0)


@points(1, ordinary)
def test_extremes(learner, rng):
    """The derivatives are finite for margins of hundreds."""
    compare(learner, [[-900.0, -1.0], [-1.0, -900.0], [-1.0, -1.0], [-1.0, -1.0]], 1.0)


@points(1)
def test_half_precision(learner, rng):
    """Log-probabilities in bfloat16 are taken to float32 before they are subtracted."""
    ranges = [(-90, -60), (-90, -60), (-3, -1), (-3, -1)]
    parts = [torch.tensor([rng.uniform(*x) for _ in range(6)]).bfloat16() for x in ranges]
    close(learner.dpo_gradient(*parts, 0.1), reference([x.tolist() for x in parts], 0.1), 1e-6)


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and the log-probabilities are left as they were."""
    parts = pairs(rng, 3)
    compare(learner, parts, math.pi)
    unchanged(learner, *map(torch.tensor, parts), math.pi)
