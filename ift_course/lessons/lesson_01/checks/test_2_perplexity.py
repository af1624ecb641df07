import math
from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner


def by_hand(losses: list[list[float]]) -> float:
    total, count = 0.0, 0
    for document in losses:
        for loss in document:
            total, count = total + loss, count + 1
    return math.exp(total / count)


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    losses = [[rng.uniform(0, 4) for _ in range(4)]]
    close(learner.perplexity(losses), by_hand(losses))


@points(1)
def test_one_document(learner, rng):
    """For one document, it is the exponential of the mean loss."""
    losses = [[rng.uniform(0, 4) for _ in range(5)]]
    close(learner.perplexity(losses), by_hand(losses))


@points(2)
def test_each_token_counts_the_same(learner, rng):
    """A long document counts for more than a short one."""
    losses = [[rng.uniform(0, 1) for _ in range(7)], [rng.uniform(3, 4)]]
    close(learner.perplexity(losses), by_hand(losses))


@points(1, ordinary)
def test_even_guess(learner, rng):
    """A model that guesses uniformly among 50 tokens has a perplexity of 50."""
    close(learner.perplexity([[math.log(50)] * 3, [math.log(50)]]), 50.0)


@points(1)
def test_empty_documents(learner, rng):
    """An empty document changes nothing."""
    losses = [[], [rng.uniform(0, 2), rng.uniform(0, 2)], []]
    close(learner.perplexity(losses), by_hand(losses))


@points(1, ordinary)
def test_no_token(learner, rng):
    """Input without any token is refused with a ValueError."""
    for losses in ([], [[]], [[], []]):
        refuses(learner.perplexity, losses)


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and the lists are left unchanged."""
    losses = [[rng.uniform(1, 3)], [rng.uniform(1, 3), 2.0]]
    close(learner.perplexity(losses), by_hand(losses))
    unchanged(learner, losses)
