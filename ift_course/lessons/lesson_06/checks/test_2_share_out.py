from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner


def reference(available: dict[str, int], total: int) -> dict[str, int]:
    """Fill all to the highest possible level, then give the remainder to the first."""
    level = 0
    while sum(min(have, level + 1) for have in available.values()) <= total and level < total:
        level += 1
    counts = {family: min(have, level) for family, have in available.items()}
    rest = total - sum(counts.values())
    for family, have in available.items():
        if rest > 0 and have > counts[family]:
            counts[family] += 1
            rest -= 1
    return counts


def compare(learner: Learner, available: dict[str, int], total: int) -> None:
    equal(learner.share_out(available, total), reference(available, total))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    """Families that all have more than enough, and a total that divides evenly."""
    for families in (2, 3):
        available = {f"family {i}": rng.randint(1000, 2000) for i in range(families)}
        compare(learner, available, families * rng.randint(1, 900))


@points(1, ordinary)
def test_equal(learner, rng):
    """Where all families have enough, all give the same number."""
    compare(learner, {"a": 50, "b": 90, "c": 40}, 60)
    compare(learner, {"a": 50}, 17)


@points(1, ordinary)
def test_rest(learner, rng):
    """The remainder goes to the first families, one example each."""
    compare(learner, {"z": 50, "a": 90, "m": 40}, 62)
    compare(learner, {"z": 50, "a": 90, "m": 40}, 4)
    compare(learner, {"z": 5, "a": 5, "m": 5}, 2)


@points(2, ordinary)
def test_small_family(learner, rng):
    """The other families make up equally for what a small one lacks."""
    compare(learner, {"a": 90, "small": 2, "b": 90}, 62)
    compare(learner, {"tiny": 1, "small": 5, "a": 300, "b": 300}, 106)
    for _ in range(4):
        compare(learner, {f"f{i}": rng.randint(0, 30) for i in range(6)} | {"g": 99}, 90)


@points(2, ordinary)
def test_several_rounds(learner, rng):
    """A family may run out only after others have made up for smaller ones."""
    compare(learner, {"a": 1, "b": 4, "c": 9, "d": 20}, 30)
    compare(learner, {"d": 20, "c": 9, "b": 4, "a": 1}, 32)


@points(1, ordinary)
def test_rest_after_small(learner, rng):
    """The remainder skips families that have no more examples."""
    compare(learner, {"small": 2, "a": 90, "b": 90, "c": 90}, 12)
    compare(learner, {"a": 3, "b": 4, "c": 4}, 10)


@points(1, ordinary)
def test_everything_and_nothing(learner, rng):
    """The total may be everything or nothing; families without examples give nothing."""
    compare(learner, {"a": 3, "none": 0, "b": 8}, 11)
    compare(learner, {"a": 3, "none": 0, "b": 8}, 0)
    compare(learner, {"none": 0, "a": 3, "b": 8}, 5)
    compare(learner, {}, 0)


@points(1, ordinary)
def test_refusals(learner, rng):
    """A negative total, and one larger than what is available, raise a ValueError."""
    refuses(learner.share_out, {"a": 3, "b": 8}, 12)
    refuses(learner.share_out, {"a": 3, "b": 8}, -1)
    refuses(learner.share_out, {}, 1)


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, in the given order, and the available numbers are left unchanged."""
    available = {"z": 9, "b": 2, "a": 9}
    got = learner.share_out(available, 11)
    equal(got, reference(available, 11))
    equal(list(got), ["z", "b", "a"])
    unchanged(learner, available, 11)
