import math
from random import Random
from typing import Any

import torch
from torch import Tensor

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone, uniform


def loss(pc, pr, rc, rr, beta: float):
    margins = beta * (pc - rc) - beta * (pr - rr)
    return torch.nn.functional.softplus(-margins).mean()


def reference(parts, beta: float) -> tuple:
    """The gradient by autograd, in float64."""
    exact = [torch.tensor(part, dtype=torch.float64) for part in parts]
    for part in exact[:2]:
        part.requires_grad_()
    return tuple(x.float() for x in torch.autograd.grad(loss(*exact, beta=beta), exact[:2]))


def compare(learner: Learner, *args: Any) -> None:
    """Compare on four lists or tensors of log-probabilities and beta."""
    *parts, beta = args
    tensors = [torch.as_tensor(part) for part in parts]
    got = learner.dpo_gradient(*tensors, beta)
    why = "Item 0 is for the chosen, item 1 for the rejected responses."
    close(got, reference([x.tolist() for x in tensors], beta), 1e-6, why)


def pairs(rng: Random, count: int) -> list[Tensor]:
    return [uniform(rng, count, -9, -5) for _ in range(4)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, *pairs(rng, 1), rng.uniform(0.1, 1.0))


@points(2)
def test_one_pair(learner, rng):
    """The derivatives of one pair are those that autograd computes."""
    for beta in (0.1, 1.0):
        compare(learner, *pairs(rng, 1), beta)


@points(1, ordinary)
def test_at_the_start(learner, rng):
    """Where policy and reference agree, the push is beta / 2 in both directions."""
    chosen, rejected = pairs(rng, 1)[:2]
    compare(learner, chosen, rejected, chosen, rejected, 0.3)


@points(2)
def test_mean_over_pairs(learner, rng):
    """The loss is a mean, so each of n pairs gets 1/n of the push."""
    for count in (2, 5):
        compare(learner, *pairs(rng, count), 0.5)


@points(2, ordinary)
def test_wrong_pairs_are_pushed(learner, rng):
    """A wrong pair is pushed by almost beta, a right one hardly at all."""
    parts = [[-20.0, -2.0], [-2.0, -20.0], [-8.0, -8.0], [-8.0, -8.0]]
    compare(learner, *parts, 0.5)
    compare(learner, [-8.0], [-9.0], [-5.0], [-9.0], 1.0)


@points(1, ordinary)
def test_extremes(learner, rng):
    """The derivatives are finite for margins of hundreds."""
    compare(learner, [-900.0, -1.0], [-1.0, -900.0], [-1.0, -1.0], [-1.0, -1.0], 1.0)


@points(1)
def test_half_precision(learner, rng):
    """Log-probabilities in bfloat16 are converted to float32 before they are subtracted."""
    ranges = [(-90, -60), (-90, -60), (-3, -1), (-3, -1)]
    compare(learner, *(uniform(rng, 6, *x).bfloat16() for x in ranges), 0.1)


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and the log-probabilities are left unchanged."""
    leaves_inputs_alone(learner, compare, *pairs(rng, 3), math.pi)
