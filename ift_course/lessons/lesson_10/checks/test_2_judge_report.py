from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def reference(right_is_a: list[str], right_is_b: list[str]) -> dict[str, float]:
    verdicts, truth = right_is_a + right_is_b, ["A"] * len(right_is_a) + ["B"] * len(right_is_b)
    n = len(verdicts)
    right = sum(v == t for v, t in zip(verdicts, truth, strict=True)) / n
    chance = sum(verdicts.count(x) / n * truth.count(x) / n for x in "AB")
    same = [(x == "A") == (y == "B") for x, y in zip(right_is_a, right_is_b, strict=True)]
    return {
        "right": right,
        "first": verdicts.count("A") / n,
        "consistent": sum(same) / len(same),
        "kappa": (right - chance) / (1 - chance),
    }


def compare(learner: Learner, right_is_a: list[str], right_is_b: list[str]) -> None:
    close(learner.judge_report(right_is_a, right_is_b), reference(right_is_a, right_is_b))


def letters(rng: Random, n: int, share_a: float = 0.5) -> list[str]:
    return ["A" if rng.random() < share_a else "B" for _ in range(n)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, letters(rng, 12, 0.8), letters(rng, 12, 0.6))


@points(2)
def test_random_judges(learner, rng):
    """All four numbers are right for judges of all kinds."""
    for share in (0.3, 0.5, 0.9):
        compare(learner, letters(rng, 15, share), letters(rng, 15, 0.5))


@points(1, ordinary)
def test_always_a(learner, rng):
    """A judge that always says "A" is right half of the time, never consistent, and κ is 0."""
    compare(learner, ["A"] * 4, ["A"] * 4)
    compare(learner, ["B"] * 4, ["B"] * 4)


@points(1, ordinary)
def test_perfect(learner, rng):
    """A perfect judge has κ = 1, and one that is always wrong κ = −1; both are consistent."""
    compare(learner, ["A"] * 3, ["B"] * 3)
    compare(learner, ["B"] * 3, ["A"] * 3)


@points(1, ordinary)
def test_both_orders(learner, rng):
    """Both orders count, and each in its own way."""
    compare(learner, ["A", "A", "B"], ["B", "A", "A"])
    compare(learner, ["A", "A"], ["A", "B"])
    compare(learner, ["A", "B"], ["B", "B"])


@points(1, ordinary)
def test_one_pair(learner, rng):
    """One pair is enough."""
    for a in "AB":
        for b in "AB":
            compare(learner, [a], [b])


@points(1, ordinary)
def test_refusals(learner, rng):
    """Lists of different lengths, and empty ones, are refused with a ValueError."""
    refuses(learner.judge_report, ["A", "B"], ["A"])
    refuses(learner.judge_report, ["A"], ["A", "B"])
    refuses(learner.judge_report, [], [])


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and the lists are left unchanged."""
    leaves_inputs_alone(learner, compare, ["B", "A", "A"], ["A", "B", "A"])
