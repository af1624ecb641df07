import math
from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner


def reference(chosen: list[float], rejected: list[float], margin: float = 0.0) -> float:
    losses = []
    for a, b in zip(chosen, rejected, strict=True):
        ahead = a - b - margin
        losses.append(max(0.0, -ahead) + math.log1p(math.exp(-abs(ahead))))
    return sum(losses) / len(losses)


def compare(learner: Learner, chosen: list[float], rejected: list[float], *margin: float) -> None:
    got = learner.bradley_terry_loss(torch.tensor(chosen), torch.tensor(rejected), *margin)
    close(got, torch.tensor(reference(chosen, rejected, *margin)))


def rewards(rng: Random, count: int) -> list[float]:
    return [rng.uniform(-3, 3) for _ in range(count)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, rewards(rng, 4), rewards(rng, 4))


@points(2)
def test_pairs(learner, rng):
    """The loss is −log σ(chosen − rejected), the mean over pairs."""
    compare(learner, [1.5], [0.5])
    compare(learner, rewards(rng, 7), rewards(rng, 7))


@points(1, ordinary)
def test_coin_toss(learner, rng):
    """Equal rewards cost ln 2."""
    compare(learner, [0.7, -2.0], [0.7, -2.0])


@points(2, ordinary)
def test_extreme_rewards(learner, rng):
    """The loss is finite and right for very wrong and very right rewards."""
    compare(learner, [-300.0, 2.0], [300.0, 1.0])
    compare(learner, [500.0], [-500.0])
    compare(learner, [-90.0], [30.0])


@points(1)
def test_margin(learner, rng):
    """A margin is subtracted from how far the chosen one is ahead."""
    compare(learner, rewards(rng, 5), rewards(rng, 5), 1.5)
    compare(learner, [2.0], [1.0], -0.5)


@points(1)
def test_half_precision(learner, rng):
    """Rewards in bfloat16 are taken to float32 before they are subtracted."""
    chosen, rejected = (torch.tensor(rewards(rng, 9)).bfloat16() for _ in range(2))
    got = learner.bradley_terry_loss(chosen, rejected)
    close(got, torch.tensor(reference(chosen.tolist(), rejected.tolist())))


@points(1, ordinary)
def test_refusals(learner, rng):
    """No pair, or different numbers of rewards, are refused with a ValueError."""
    refuses(learner.bradley_terry_loss, torch.zeros(0), torch.zeros(0))
    refuses(learner.bradley_terry_loss, torch.zeros(3), torch.zeros(1))
    refuses(learner.bradley_terry_loss, torch.zeros(1), torch.zeros(2))


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and the rewards are left as they were."""
    chosen, rejected = torch.tensor(rewards(rng, 3)), torch.tensor(rewards(rng, 3))
    close(
        learner.bradley_terry_loss(chosen, rejected, 0.5),
        torch.tensor(reference(chosen.tolist(), rejected.tolist(), 0.5)),
    )
    unchanged(learner, chosen, rejected, 0.5)
