from fractions import Fraction
from math import comb
from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses
from ift_course.exercises.learner import Learner


def p_value(m: int, b: int) -> Fraction:
    return Fraction(2 * sum(comb(m, k) for k in range(min(b, m - b) + 1)), 2**m)


def reference(n: int, only_a: float, only_b: float, level: float = 0.05) -> float:
    neither, total = 1 - only_a - only_b, 0.0
    for a in range(n + 1):
        for b in range(n + 1 - a):
            if p_value(a + b, b) < Fraction(str(level)):
                rest = n - a - b
                ways = comb(n, a) * comb(n - a, b)
                total += ways * only_a**a * only_b**b * neither**rest
    return total


def compare(learner: Learner, n: int, only_a: float, only_b: float, *level: float) -> None:
    got = learner.power(n, only_a, only_b, *level)
    close(got, reference(n, only_a, only_b, *level), 1e-9)


def shares(rng: Random) -> tuple[float, float]:
    return rng.uniform(0.05, 0.2), rng.uniform(0.3, 0.6)


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, 15, *shares(rng))


@points(2)
def test_random_shares(learner, rng):
    """The power is right for models that differ a little and a lot."""
    for n in (9, 20):
        compare(learner, n, *shares(rng))
    compare(learner, 25, 0.1, 0.1)


@points(1, ordinary)
def test_sides(learner, rng):
    """It makes no difference which of the two models is the better one."""
    for pair in ((0.1, 0.5), (0.5, 0.1)):
        compare(learner, 14, *pair)


@points(1, ordinary)
def test_few_questions(learner, rng):
    """With fewer than six questions nothing is found, and with six only if all go one way."""
    for n in (0, 1, 5, 6, 7):
        compare(learner, n, 0.0, 1.0)
        compare(learner, n, 0.2, 0.6)


@points(1, ordinary)
def test_level(learner, rng):
    """The level counts, and p has to be below it, not equal to it."""
    for level in (0.01, 0.03125, 0.0625, 0.3, 0.625):
        compare(learner, 6, 0.2, 0.5, level)
        compare(learner, 5, 0.3, 0.7, level)


@points(1, ordinary)
def test_ends(learner, rng):
    """Models that never differ, or always, are no special cases."""
    compare(learner, 12, 0.0, 0.0)
    compare(learner, 12, 0.0, 0.4)
    compare(learner, 12, 0.4, 0.0)
    compare(learner, 12, 0.25, 0.75)
    compare(learner, 8, 1.0, 0.0)


@points(1, ordinary)
def test_refusals(learner, rng):
    """Negative probabilities, and those that sum to more than 1, are refused with a ValueError."""
    for pair in ((-0.1, 0.5), (0.5, -0.1), (0.7, 0.5)):
        refuses(learner.power, 10, *pair)
