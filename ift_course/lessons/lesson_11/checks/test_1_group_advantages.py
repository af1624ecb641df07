import statistics
from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner


def reference(rewards: list[float], group: int, epsilon: float = 1e-4) -> list[float]:
    advantages = []
    for start in range(0, len(rewards), group):
        answers = rewards[start : start + group]
        mean, spread = statistics.fmean(answers), statistics.stdev(answers)
        advantages += [(reward - mean) / (spread + epsilon) for reward in answers]
    return advantages


def compare(learner: Learner, rewards: list[float], group: int, *epsilon: float) -> None:
    got = learner.group_advantages(torch.tensor(rewards), group, *epsilon)
    close(got, torch.tensor(reference(rewards, group, *epsilon)), 1e-4)


def random_rewards(rng: Random, count: int) -> list[float]:
    return [rng.uniform(-2, 2) for _ in range(count)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, random_rewards(rng, 5), 5)


@points(1)
def test_one_group(learner, rng):
    """In one group, it is the distance from the mean in standard deviations."""
    compare(learner, [1.0, 0.0, 0.0, 1.0, 1.0], 5)
    compare(learner, random_rewards(rng, 6), 6)


@points(2)
def test_several_groups(learner, rng):
    """Each answer is compared with the answers to the same prompt, which are adjacent."""
    compare(learner, [1.0, 2.0, 3.0, 10.0, 20.0, 60.0], 3)
    compare(learner, random_rewards(rng, 12), 4)
    compare(learner, random_rewards(rng, 6), 2)


@points(2, ordinary)
def test_equal_rewards(learner, rng):
    """In a group of equal rewards all advantages are 0, not NaN."""
    compare(learner, [0.5, 0.5, 0.5, 0.5, 1.0, 2.0, 0.0, 0.0], 4)
    compare(learner, [0.0, 0.0], 2)


@points(1)
def test_scale(learner, rng):
    """Larger rewards do not give larger advantages; epsilon is added once, to the deviation."""
    rewards = random_rewards(rng, 8)
    compare(learner, [100 * x + 50 for x in rewards], 4)
    compare(learner, rewards, 4, 0.5)


@points(1)
def test_whole_numbers(learner, rng):
    """Rewards in bfloat16 or as integers give float32 advantages."""
    half = torch.tensor(random_rewards(rng, 8)).bfloat16()
    close(learner.group_advantages(half, 4), torch.tensor(reference(half.tolist(), 4)), 1e-4)
    whole = torch.tensor([1, 0, 0, 1, 1, 1, 0, 1])
    close(learner.group_advantages(whole, 4), torch.tensor(reference(whole.tolist(), 4)), 1e-4)


@points(1, ordinary)
def test_refusals(learner, rng):
    """Groups of fewer than two, and incomplete groups, are refused with a ValueError."""
    for count, group in ((4, 1), (4, 0), (5, 2), (2, 4)):
        refuses(learner.group_advantages, torch.arange(count).float(), group)


@points(1)
def test_rewards_stay(learner, rng):
    """The answer is right, and the rewards are left unchanged."""
    rewards = random_rewards(rng, 6)
    compare(learner, rewards, 3)
    unchanged(learner, torch.tensor(rewards), 3)
