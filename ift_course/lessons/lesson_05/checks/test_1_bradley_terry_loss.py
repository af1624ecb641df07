import math
from random import Random

import torch
from torch import Tensor

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone, uniform


def reference(chosen: list[float], rejected: list[float], margin: float = 0.0) -> float:
    losses = []
    for a, b in zip(chosen, rejected, strict=True):
        ahead = a - b - margin
        losses.append(max(0.0, -ahead) + math.log1p(math.exp(-abs(ahead))))
    return sum(losses) / len(losses)


def compare(learner: Learner, chosen: Tensor, rejected: Tensor, *margin: float) -> None:
    expected = reference(chosen.tolist(), rejected.tolist(), *margin)
    close(learner.bradley_terry_loss(chosen, rejected, *margin), torch.tensor(expected))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, uniform(rng, 4), uniform(rng, 4))


@points(2)
def test_pairs(learner, rng):
    """The loss is −log σ(chosen − rejected), averaged over pairs."""
    compare(learner, torch.tensor([1.5]), torch.tensor([0.5]))
    compare(learner, uniform(rng, 7), uniform(rng, 7))


@points(1, ordinary)
def test_coin_toss(learner, rng):
    """Equal rewards give a loss of ln 2."""
    compare(learner, torch.tensor([0.7, -2.0]), torch.tensor([0.7, -2.0]))


@points(2, ordinary)
def test_extreme_rewards(learner, rng):
    """The loss is finite and right for very wrong and very right rewards."""
    compare(learner, torch.tensor([-300.0, 2.0]), torch.tensor([300.0, 1.0]))
    compare(learner, torch.tensor([500.0]), torch.tensor([-500.0]))
    compare(learner, torch.tensor([-90.0]), torch.tensor([30.0]))


@points(1)
def test_margin(learner, rng):
    """A margin is subtracted from the lead of the chosen response."""
    compare(learner, uniform(rng, 5), uniform(rng, 5), 1.5)
    compare(learner, torch.tensor([2.0]), torch.tensor([1.0]), -0.5)


@points(1)
def test_half_precision(learner, rng):
    """Rewards in bfloat16 are converted to float32 before they are subtracted."""
    compare(learner, uniform(rng, 9).bfloat16(), uniform(rng, 9).bfloat16())


@points(1, ordinary)
def test_refusals(learner, rng):
    """No pairs, or lists of different lengths, are refused with a ValueError."""
    refuses(learner.bradley_terry_loss, torch.zeros(0), torch.zeros(0))
    refuses(learner.bradley_terry_loss, torch.zeros(3), torch.zeros(1))
    refuses(learner.bradley_terry_loss, torch.zeros(1), torch.zeros(2))


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and the rewards are left unchanged."""
    leaves_inputs_alone(learner, compare, uniform(rng, 3), uniform(rng, 3), 0.5)
