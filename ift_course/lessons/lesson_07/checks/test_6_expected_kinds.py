import math
from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def reference(shares: list[float], draws: int) -> float:
    return float(math.fsum(1 - math.prod([1 - p] * draws) for p in shares))


def compare(learner: Learner, shares: list[float], draws: int) -> None:
    close(learner.expected_kinds(shares, draws), reference(shares, draws))


def shares_of(rng: Random, kinds: int) -> list[float]:
    weights = [rng.uniform(0.1, 5) for _ in range(kinds)]
    return [w / sum(weights) for w in weights]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, shares_of(rng, 4), 3)


@points(1, ordinary)
def test_even_shares(learner, rng):
    """The number is right for kinds of equal shares."""
    compare(learner, [0.5, 0.5], 2)
    compare(learner, [0.25] * 4, 3)


@points(2)
def test_rare_kinds(learner, rng):
    """The number is right for different shares: rare kinds are found less often."""
    compare(learner, [0.6, 0.39, 0.01], 10)
    for _ in range(4):
        compare(learner, shares_of(rng, rng.randint(3, 9)), rng.randint(2, 12))


@points(1, ordinary)
def test_one_draw(learner, rng):
    """One record is of one kind."""
    compare(learner, shares_of(rng, 5), 1)


@points(1, ordinary)
def test_no_draws(learner, rng):
    """Without records no kind is found."""
    compare(learner, [0.3, 0.7], 0)


@points(1, ordinary)
def test_many_draws(learner, rng):
    """Many records find nearly all kinds, exactly as many as expected."""
    compare(learner, shares_of(rng, 4), 60)
    compare(learner, [0.999, 0.001], 1000)


@points(1, ordinary)
def test_absent_and_only_kinds(learner, rng):
    """A kind with share 0 is never found, one with share 1 always."""
    compare(learner, [1.0, 0.0, 0.0], 5)
    compare(learner, [1.0], 1)
    compare(learner, [0.0, 0.5, 0.5], 3)


@points(1, ordinary)
def test_refused(learner, rng):
    """A negative number of draws, and shares that do not add up to 1, raise a ValueError."""
    refuses(learner.expected_kinds, [0.5, 0.5], -1)
    for shares in ([0.5, 0.4], [0.5, 0.6], [3.0, 5.0], [], [0.5, 0.5000015], [0.5, 0.4999985]):
        refuses(learner.expected_kinds, shares, 3)


@points(1, ordinary)
def test_rounding(learner, rng):
    """Shares whose sum is off by a rounding error are accepted."""
    compare(learner, [0.1] * 10, 3)
    compare(learner, [0.5, 0.5000004], 3)
    compare(learner, [0.5, 0.4999996], 3)


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and the list is left unchanged."""
    shares = [0.75, 0.25]
    leaves_inputs_alone(learner, compare, shares, 2)
