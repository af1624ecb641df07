import itertools
from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def reference(rewards: list[float], n: int) -> float:
    best = [max(choice) for choice in itertools.combinations(rewards, n)]
    return sum(best) / len(best)


def compare(learner: Learner, rewards: list[float], n: int) -> None:
    close(learner.expected_best(rewards, n), reference(rewards, n))


def random_rewards(rng: Random, count: int) -> list[float]:
    return [rng.uniform(-3, 3) for _ in range(count)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, random_rewards(rng, 5), 2)


@points(2)
def test_all_choices(learner, rng):
    """It is the mean of the best over all choices of n different answers."""
    compare(learner, [1.0, 2.0, 4.0], 2)
    for n in (2, 3, 5):
        compare(learner, random_rewards(rng, 7), n)


@points(1)
def test_any_order(learner, rng):
    """The order of the rewards does not count."""
    rewards = sorted(random_rewards(rng, 6), reverse=True)
    compare(learner, rewards, 3)


@points(1)
def test_one(learner, rng):
    """The best of one is the mean of all, and the best of all is the highest."""
    rewards = random_rewards(rng, 6)
    compare(learner, rewards, 1)
    compare(learner, rewards, 6)
    compare(learner, [-1.5], 1)


@points(1, ordinary)
def test_equals(learner, rng):
    """Equal rewards count as different answers."""
    compare(learner, [0.0, 0.0, 1.0, 1.0, 0.0], 2)
    compare(learner, [2.0, 2.0, 2.0], 2)


@points(2, ordinary)
def test_many(learner, rng):
    """Hundreds of answers take only a moment, and the numbers stay exact."""
    rewards = [float(i) for i in range(600)]
    rng.shuffle(rewards)
    for n in (2, 16, 300):
        # The mean maximum of n numbers out of 0 … N - 1 is known: n (N + 1) / (n + 1) - 1.
        close(learner.expected_best(rewards, n), n * 601 / (n + 1) - 1)


@points(1, ordinary)
def test_refusals(learner, rng):
    """n below 1, or above the number of rewards, is refused with a ValueError."""
    for rewards, n in (([1.0, 2.0], 0), ([1.0, 2.0], 3), ([], 1), ([], 0), ([1.0], -1)):
        refuses(learner.expected_best, rewards, n)


@points(1, ordinary)
def test_rewards_stay(learner, rng):
    """The answer is right, and the rewards are left unchanged, in their order."""
    rewards = [3.0, 1.0, 2.0]
    leaves_inputs_alone(learner, compare, rewards, 2)
