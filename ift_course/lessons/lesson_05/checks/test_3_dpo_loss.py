import math
from random import Random
from typing import Any

import torch
from torch import Tensor

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone, uniform


def reference(pc, pr, rc, rr, beta: float) -> tuple[float, list[float]]:
    margins = [beta * (a - c) - beta * (b - d) for a, b, c, d in zip(pc, pr, rc, rr, strict=True)]
    losses = [max(0.0, -m) + math.log1p(math.exp(-abs(m))) for m in margins]
    return sum(losses) / len(losses), margins


def compare(learner: Learner, *args: Any) -> None:
    """Compare on four lists or tensors of log-probabilities and beta."""
    *parts, beta = args
    tensors = [torch.as_tensor(part) for part in parts]
    loss, margins = reference(*(x.tolist() for x in tensors), beta=beta)
    expected = torch.tensor(loss), torch.tensor(margins)
    got = learner.dpo_loss(*tensors, beta)
    close(got, expected, why="Item 0 is the loss, item 1 the margins.")


def pairs(rng: Random, count: int) -> list[Tensor]:
    return [uniform(rng, count, -20, -5) for _ in range(4)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, *pairs(rng, 4), 0.1)


@points(2)
def test_pairs(learner, rng):
    """Loss and margins are right for several pairs."""
    for beta in (0.1, 0.5):
        compare(learner, *pairs(rng, 5), beta)


@points(1, ordinary)
def test_at_the_start(learner, rng):
    """A policy equal to the reference has margins of 0 and a loss of ln 2."""
    chosen, rejected = pairs(rng, 3)[:2]
    compare(learner, chosen, rejected, chosen, rejected, 0.3)


@points(2, ordinary)
def test_directions(learner, rng):
    """Making the chosen response likelier, or the rejected one less likely, lowers the loss."""
    compare(learner, [-5.0], [-9.0], [-8.0], [-9.0], 1.0)
    compare(learner, [-8.0], [-12.0], [-8.0], [-9.0], 1.0)
    compare(learner, [-8.0], [-9.0], [-5.0], [-9.0], 1.0)


@points(1, ordinary)
def test_reference_counts(learner, rng):
    """Only the change relative to the reference counts, not how likely a response is."""
    compare(learner, [-30.0], [-2.0], [-31.0], [-2.0], 0.4)


@points(1)
def test_one_pair(learner, rng):
    """A single pair gives one margin, in a tensor of one number."""
    compare(learner, *pairs(rng, 1), 0.2)


@points(1, ordinary)
def test_extreme_margins(learner, rng):
    """The loss is finite and right for margins of hundreds."""
    compare(learner, [-900.0, -1.0], [-1.0, -900.0], [-1.0, -1.0], [-1.0, -1.0], 1.0)


@points(1)
def test_half_precision(learner, rng):
    """Log-probabilities in bfloat16 are converted to float32 before they are subtracted."""
    ranges = [(-90, -60), (-90, -60), (-3, -1), (-3, -1)]
    compare(learner, *(uniform(rng, 6, *x).bfloat16() for x in ranges), 0.1)


@points(1, ordinary)
def test_refusals(learner, rng):
    """A beta of 0 or less is refused with a ValueError."""
    for beta in (0.0, -0.1):
        refuses(learner.dpo_loss, *(torch.zeros(2) for _ in range(4)), beta)


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and the log-probabilities are left unchanged."""
    leaves_inputs_alone(learner, compare, *pairs(rng, 3), 0.1)
