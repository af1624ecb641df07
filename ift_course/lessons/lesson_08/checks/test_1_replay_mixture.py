from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def reference(new: list, earlier: list, percent: int, count: int) -> list:
    rows = []
    for n in range(1, count + 1):
        due, before = n * percent // 100, (n - 1) * percent // 100
        if due > before:
            rows.append(earlier[before % len(earlier)])
        else:
            rows.append(new[(n - 1 - before) % len(new)])
    return rows


def compare(learner: Learner, new: list, earlier: list, percent: int, count: int) -> None:
    equal(
        learner.replay_mixture(new, earlier, percent, count),
        reference(new, earlier, percent, count),
    )


def rows(kind: str, number: int) -> list[str]:
    return [f"{kind} {i}" for i in range(number)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    """Rows of one kind only, with unpredictable names."""
    new, earlier = (rows(f"{kind} {rng.randrange(10**6)}", 60) for kind in ("new", "earlier"))
    compare(learner, new, earlier, 0, 40)


@points(2, ordinary)
def test_share_all_along(learner, rng):
    """Among the first n rows there are n * percent // 100 earlier ones, for every n."""
    for percent in (20, 50, rng.randrange(3, 48), rng.randrange(52, 98)):
        compare(learner, rows("new", 200), rows("earlier", 200), percent, 120)


@points(2, ordinary)
def test_few_per_cent(learner, rng):
    """One percent of 300 rows is every hundredth row, three in all."""
    compare(learner, rows("new", 300), rows("earlier", 9), 1, 300)
    compare(learner, rows("new", 300), rows("earlier", 9), 5, 99)


@points(1, ordinary)
def test_rounded_down(learner, rng):
    """A share of less than one row adds none."""
    compare(learner, rows("new", 99), rows("earlier", 5), 1, 99)
    compare(learner, rows("new", 30), rows("earlier", 5), 7, 28)


@points(1, ordinary)
def test_exact_arithmetic(learner, rng):
    """29 % of 100 rows are 29, not 28: shares as floats would be a little too small."""
    for percent in (7, 29, 57, 58):
        compare(learner, rows("new", 100), rows("earlier", 100), percent, 100)


@points(1, ordinary)
def test_begins_again(learner, rng):
    """A kind that is used up starts over at its first row, each kind separately."""
    compare(learner, rows("new", 3), rows("earlier", 2), 40, 23)
    compare(learner, rows("new", 1), rows("earlier", rng.randrange(3, 7)), 60, 31)


@points(1, ordinary)
def test_ends(learner, rng):
    """0 % gives only new rows, 100 % only earlier ones, and 0 rows an empty list."""
    compare(learner, rows("new", 2), [], 0, 5)
    compare(learner, [], rows("earlier", 2), 100, 5)
    compare(learner, rows("new", 2), rows("earlier", 2), 50, 0)
    compare(learner, [], [], 50, 0)


@points(1, ordinary)
def test_needed_and_missing(learner, rng):
    """A missing kind is refused, but only if a row of it is needed."""
    refuses(learner.replay_mixture, rows("new", 2), [], 10, 10)
    refuses(learner.replay_mixture, [], rows("earlier", 2), 10, 10)
    compare(learner, rows("new", 2), [], 10, 9)


@points(1, ordinary)
def test_refusals(learner, rng):
    """A share below 0 or above 100 is refused."""
    for percent in (-1, 101):
        refuses(learner.replay_mixture, rows("new", 2), rows("earlier", 2), percent, 4)
        refuses(learner.replay_mixture, rows("new", 2), rows("earlier", 2), percent, 0)


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and both lists are left unchanged."""
    new, earlier = rows("new", 3), rows("earlier", 2)
    leaves_inputs_alone(learner, compare, new, earlier, 50, 9)
