import math
from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner


def reference(pc, pr, rc, rr, beta: float) -> tuple[float, list[float]]:
    margins = [beta * (a - c) - beta * (b - d) for a, b, c, d in zip(pc, pr, rc, rr, strict=True)]
    losses = [max(0.0, -m) + math.log1p(math.exp(-abs(m))) for m in margins]
    return sum(losses) / len(losses), margins


def compare(learner: Learner, parts, beta: float) -> None:
    loss, margins = reference(*parts, beta)
    got = learner.dpo_loss(*map(torch.tensor, parts), beta)
    close(
        got,
        (torch.tensor(loss), torch.tensor(margins)),
        why="Item 0 is the loss, item 1 the margins.",
    )


def pairs(rng: Random, count: int) -> list[list[float]]:
    return [[rng.uniform(-20, -5) for _ in range(count)] for _ in range(4)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, pairs(rng, 4), 0.1)


@points(2)
def test_pairs(learner, rng):
    """Loss and margins of several pairs."""
    for beta in (0.1, 0.5):
        compare(learner, pairs(rng, 5), beta)


@points(1, ordinary)
def test_at_the_start(learner, rng):
    """A policy that is the reference has margins of 0 and a loss of ln 2."""
    chosen, rejected = pairs(rng, 3)[:2]
    compare(learner, [chosen, rejected, chosen, rejected], 0.3)


@points(2, ordinary)
def test_directions(learner, rng):
    """Making the chosen response likelier, or the rejected one less likely, lowers the loss."""
    compare(learner, [[-5.0], [-9.0], [-8.0], [-9.0]], 1.0)
    compare(learner, [[-8.0], [-12.0], [-8.0], [-9.0]], 1.0)
    compare(learner, [[-8.0], [-9.0], [-5.0], [-9.0]], 1.0)


@points(1, ordinary)
def test_reference_counts(learner, rng):
    """What counts is the change against the reference, not how likely a response is."""
    compare(learner, [[-30.0], [-2.0], [-31.0], [-2.0]], 0.4)


@points(1)
def test_one_pair(learner, rng):
    """A single pair gives one margin, in a tensor of one number."""
    compare(learner, pairs(rng, 1), 0.2)


@points(1, ordinary)
def test_extreme_margins(learner, rng):
    """The loss is finite and right for margins of hundreds."""
    compare(learner, [[-900.0, -1.0], [-1.0, -900.0], [-1.0, -1.0], [-1.0, -1.0]], 1.0)


@points(1)
def test_half_precision(learner, rng):
    """Log-probabilities in bfloat16 are taken to float32 before they are subtracted."""
    ranges = [(-90, -60), (-90, -60), (-3, -1), (-3, -1)]
    parts = [torch.tensor([rng.uniform(*x) for _ in range(6)]).bfloat16() for x in ranges]
    loss, margins = reference(*(x.tolist() for x in parts), 0.1)
    close(learner.dpo_loss(*parts, 0.1), (torch.tensor(loss), torch.tensor(margins)))


@points(1, ordinary)
def test_refusals(learner, rng):
    """A beta of 0 or less is refused with a ValueError."""
    for beta in (0.0, -0.1):
        refuses(learner.dpo_loss, *(torch.zeros(2) for _ in range(4)), beta)


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and the log-probabilities are left as they were."""
    parts = pairs(rng, 3)
    compare(learner, parts, 0.1)
    unchanged(learner, *map(torch.tensor, parts), 0.1)
