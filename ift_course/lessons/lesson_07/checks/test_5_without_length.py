from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner


def reference(rewards: list[float], lengths: list[int]):
    n = len(rewards)
    mean, level = sum(lengths) / n, sum(rewards) / n
    above = sum((x - mean) * (y - level) for x, y in zip(lengths, rewards, strict=True))
    below = sum((x - mean) ** 2 for x in lengths)
    slope = above / below if below else 0.0
    residuals = [y - slope * (x - mean) for x, y in zip(lengths, rewards, strict=True)]
    return torch.tensor(residuals, dtype=torch.float64)


def compare(learner: Learner, rewards: list[float], lengths: list[int]) -> None:
    got = learner.without_length(torch.tensor(rewards), torch.tensor(lengths))
    close(got, reference(torch.tensor(rewards).tolist(), lengths))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, [rng.gauss(0, 2) for _ in range(5)], rng.sample(range(1, 40), 5))


@points(2)
def test_the_line_is_gone(learner, rng):
    """What a straight line explains is subtracted, whether it rises or falls."""
    compare(learner, [1.0, 2.0, 3.0, 5.0], [1, 2, 3, 4])
    compare(learner, [9.0, 5.0, 6.0, 1.0], [2, 5, 9, 20])
    for _ in range(3):
        n = rng.randint(4, 9)
        compare(
            learner, [rng.gauss(0, 2) for _ in range(n)], [rng.randint(1, 40) for _ in range(n)]
        )


@points(1, ordinary)
def test_a_pure_line(learner, rng):
    """If length explains everything, all answers get the mean reward."""
    compare(learner, [7.0, 5.0, 3.0, 1.0], [1, 2, 3, 4])
    compare(learner, [1.0, 3.0, 2.0], [10, 30, 20])


@points(1)
def test_the_mean_stays(learner, rng):
    """The mean reward stays, and so does an answer of mean length."""
    compare(learner, [10.0, 11.0, 15.0], [1, 2, 3])
    compare(learner, [-4.0, -4.5, -3.0, -8.0], [3, 9, 6, 6])
    compare(learner, [rng.gauss(5, 1) for _ in range(6)], [12, 3, 8, 5, 9, 7])


@points(1, ordinary)
def test_length_that_explains_nothing(learner, rng):
    """If length explains nothing, the rewards stay."""
    compare(learner, [1.0, 2.0, 2.0, 1.0], [1, 1, 5, 5])
    compare(learner, [2.0, 2.0, 2.0], [1, 5, 9])


@points(1, ordinary)
def test_equal_lengths(learner, rng):
    """If all lengths are equal, the rewards are returned unchanged."""
    compare(learner, [1.0, 5.0, 2.0], [7, 7, 7])
    compare(learner, [3.5], [4])


@points(1, ordinary)
def test_units(learner, rng):
    """Lengths ten times as large change nothing; rewards ten times as large scale the result."""
    compare(learner, [1.0, 4.0, 2.0], [10, 20, 60])
    compare(learner, [10.0, 40.0, 20.0], [1, 2, 6])


@points(1, ordinary)
def test_float64(learner, rng):
    """The result is float64, computed in float64."""
    from ift_course.exercises.compare import require

    rewards, lengths = [1.0, 2.5, 2.0], [3, 4, 8]
    got = learner.without_length(torch.tensor(rewards), torch.tensor(lengths))
    close(got, reference(rewards, lengths))
    require(got.dtype == torch.float64, "The result should be float64.", "float64", str(got.dtype))
    same = learner.without_length(torch.tensor(rewards), torch.tensor([2, 2, 2]))
    close(same, torch.tensor(rewards, dtype=torch.float64))
    require(
        same.dtype == torch.float64, "The result should be float64.", "float64", str(same.dtype)
    )


@points(1, ordinary)
def test_refused(learner, rng):
    """Empty lists, and lists of different lengths, are refused with a ValueError."""
    refuses(learner.without_length, torch.tensor([]), torch.tensor([], dtype=torch.int64))
    refuses(learner.without_length, torch.tensor([1.0, 2.0]), torch.tensor([1, 2, 3]))
    refuses(learner.without_length, torch.tensor([1.0, 2.0]), torch.tensor([1]))


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and the arguments are left unchanged."""
    for kind in (torch.float32, torch.float64):
        for lengths in ([1, 2, 3], [2, 2, 2]):
            rewards, words = torch.tensor([1.0, 4.0, 2.0], dtype=kind), torch.tensor(lengths)
            close(learner.without_length(rewards, words), reference([1.0, 4.0, 2.0], lengths))
            unchanged(learner, torch.tensor([1.0, 4.0, 2.0], dtype=kind), torch.tensor(lengths))
