from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def reference(scores: dict[str, list[float]], level: float = 0.95) -> tuple[float, float, float]:
    from scipy.special import stdtrit

    means = [sum(values) / len(values) for values in scores.values()]
    k = len(means)
    mean = sum(means) / k
    variance = sum((x - mean) ** 2 for x in means) / (k - 1)
    half = float(stdtrit(k - 1, 0.5 + level / 2)) * (variance / k) ** 0.5
    return mean, mean - half, mean + half


def compare(learner: Learner, scores: dict[str, list[float]], *level: float) -> None:
    close(learner.macro_average(scores, *level), reference(scores, *level), 1e-6)


def random_scores(rng: Random, families: int, items: int = 8) -> dict[str, list[float]]:
    return {f"f{i}": [rng.random() for _ in range(items)] for i in range(families)}


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, random_scores(rng, 3, items=4))


@points(2)
def test_every_family_counts_once(learner, rng):
    """A family with many scores counts as much as one with few."""
    compare(learner, {"many": [1.0] * 20, "few": [0.0], "some": [0.5, 0.7]})
    compare(learner, {"a": [rng.random()] * 9, "b": [rng.random()], "c": [rng.random()] * 3})


@points(2)
def test_interval(learner, rng):
    """The interval is that of the families' means, not of the single scores."""
    for families in (2, 3, 5, 11):
        compare(learner, random_scores(rng, families))


@points(2)
def test_level(learner, rng):
    """The level decides how wide the interval is."""
    scores = random_scores(rng, 4)
    for level in (0.5, 0.9, 0.99):
        compare(learner, scores, level)


@points(1, ordinary)
def test_few_families(learner, rng):
    """With two families the interval is very wide: Student's t, not the normal one."""
    compare(learner, {"a": [0.4], "b": [0.6]})
    compare(learner, {"a": [0.4], "b": [0.6]}, 0.8)


@points(1, ordinary)
def test_equal_families(learner, rng):
    """Families with equal means have an interval of width 0, however their scores differ."""
    compare(learner, {"a": [1.0, 0.0], "b": [0.5], "c": [0.25, 0.75, 0.5]})


@points(1, ordinary)
def test_bounds(learner, rng):
    """The interval may reach below 0 or above 1."""
    compare(learner, {"a": [1.0], "b": [0.9], "c": [0.2]})
    compare(learner, {"a": [0.0], "b": [0.1], "c": [0.5]})


@points(1, ordinary)
def test_refusals(learner, rng):
    """Fewer than two families, or one without scores, raise a ValueError."""
    refuses(learner.macro_average, {"a": [0.5, 0.6]})
    refuses(learner.macro_average, {})
    refuses(learner.macro_average, {"a": [0.5], "b": [], "c": [0.4]})


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and the scores are left unchanged."""
    scores = random_scores(rng, 3)
    leaves_inputs_alone(learner, compare, scores, 0.9)
