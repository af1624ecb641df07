from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner


def quantile(values: list[float], q: float) -> float:
    values = sorted(values)
    place = q * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def reference(a: list[float], b: list[float], draws: list[list[int]], level: float) -> tuple:
    means = []
    for test in draws:
        means.append(sum(a[i] for i in test) / len(test) - sum(b[i] for i in test) / len(test))
    return quantile(means, (1 - level) / 2), quantile(means, 1 - (1 - level) / 2)


def random_scores(rng: Random, questions: int = 12, tests: int = 41):
    a = [rng.uniform(0, 1) for _ in range(questions)]
    b = [x + rng.uniform(-0.1, 0.3) for x in a]
    return a, b, [[rng.randrange(questions) for _ in range(questions)] for _ in range(tests)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    a, b, draws = random_scores(rng, questions=6, tests=21)
    close(learner.paired_interval(a, b, torch.tensor(draws)), reference(a, b, draws, 0.95))


@points(2)
def test_paired(learner, rng):
    """In every resampled test both models answer the same questions."""
    a, b, draws = random_scores(rng)
    close(learner.paired_interval(a, b, torch.tensor(draws)), reference(a, b, draws, 0.95))


@points(1, ordinary)
def test_sign(learner, rng):
    """It is the first minus the second, and the lower bound comes first."""
    draws = [[0, 0, 1], [1, 2, 2], [0, 1, 2]]
    a, b = [3.0, 2.0, 5.0], [1.0, 1.0, 1.0]
    close(learner.paired_interval(a, b, torch.tensor(draws)), reference(a, b, draws, 0.95))
    close(learner.paired_interval(b, a, torch.tensor(draws)), reference(b, a, draws, 0.95))


@points(2)
def test_level(learner, rng):
    """The level decides how much is left out on each side, also with few tests."""
    for level in (0.5, 0.8, 0.99):
        a, b, draws = random_scores(rng, tests=15)
        got = learner.paired_interval(a, b, torch.tensor(draws), level)
        close(got, reference(a, b, draws, level))


@points(1, ordinary)
def test_even_models(learner, rng):
    """A model compared with itself gives (0, 0), one that is 0.25 better gives (0.25, 0.25)."""
    a, _, draws = random_scores(rng)
    close(learner.paired_interval(a, list(a), torch.tensor(draws)), (0.0, 0.0))
    better = [x + 0.25 for x in a]
    close(learner.paired_interval(better, a, torch.tensor(draws)), (0.25, 0.25))


@points(1)
def test_other_sizes(learner, rng):
    """The resampled tests may be smaller than the test, and there may be only one."""
    a, b, draws = random_scores(rng)
    smaller = [test[:5] for test in draws]
    close(learner.paired_interval(a, b, torch.tensor(smaller)), reference(a, b, smaller, 0.95))
    close(learner.paired_interval(a, b, torch.tensor(draws[:1])), reference(a, b, draws[:1], 0.95))


@points(1, ordinary)
def test_precision(learner, rng):
    """Small differences of large scores are not lost: the computation is in float64."""
    draws = [[0, 1], [0, 0], [1, 1]]
    a, b = [1e6 + 3e-3, 1e6 + 2e-3], [1e6 + 1e-3, 1e6 + 5e-4]
    close(learner.paired_interval(a, b, torch.tensor(draws)), reference(a, b, draws, 0.95), 1e-7)


@points(1, ordinary)
def test_refusals(learner, rng):
    """Lists of different lengths, and empty ones, are refused with a ValueError."""
    draws = torch.tensor([[0, 0], [0, 0]])
    refuses(learner.paired_interval, [1.0, 2.0], [1.0], draws)
    refuses(learner.paired_interval, [1.0], [1.0, 2.0], draws)
    refuses(learner.paired_interval, [], [], torch.zeros(2, 0).long())


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and scores and draws are left unchanged."""
    a, b, draws = random_scores(rng)
    close(learner.paired_interval(a, b, torch.tensor(draws)), reference(a, b, draws, 0.95))
    unchanged(learner, a, b, torch.tensor(draws))
