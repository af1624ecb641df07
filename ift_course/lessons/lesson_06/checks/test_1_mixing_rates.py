from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import close, equal, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def reference(sizes: dict[str, int], cap: float, temperature: float = 1.0) -> dict[str, float]:
    counted = {}
    for task in sizes:
        size = cap if sizes[task] > cap else sizes[task]
        counted[task] = 0.0 if size == 0 else size ** (1.0 / temperature)
    return {task: counted[task] / sum(counted.values()) for task in counted}


def compare(learner: Learner, sizes: dict[str, int], *others: float) -> None:
    close(learner.mixing_rates(sizes, *others), reference(sizes, *others))


def random_sizes(rng: Random, tasks: int = 4) -> dict[str, int]:
    return {f"task {i}": rng.randint(1, 20) * 10**i for i in range(tasks)}


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, {f"task {i}": rng.randint(1, 10**6) for i in range(4)}, 10**9)


@points(1)
def test_proportional(learner, rng):
    """With a cap that no task reaches, the shares are proportional to the sizes."""
    compare(learner, {"a": 100, "b": 300}, 1000)
    compare(learner, random_sizes(rng), 10**9)


@points(2)
def test_cap(learner, rng):
    """A task counts with at most the cap, whatever its size."""
    compare(learner, {"large": 90_000, "larger": 900_000, "small": 100}, 300)
    for cap in (1, 50, 900, 3000):
        compare(learner, random_sizes(rng), cap)


@points(2)
def test_temperature(learner, rng):
    """A temperature above 1 evens out the shares, and one below 1 spreads them."""
    sizes = random_sizes(rng)
    for temperature in (0.5, 2.0, 5.0, 100.0):
        compare(learner, sizes, 10**9, temperature)


@points(2)
def test_cap_first(learner, rng):
    """The cap limits the number of examples first; the temperature comes after it."""
    compare(learner, {"a": 10_000, "b": 400, "c": 25}, 100, 2.0)
    compare(learner, random_sizes(rng), 60, 3.0)


@points(1, ordinary)
def test_shares(learner, rng):
    """The shares add up to 1, and every task has one, in the given order."""
    sizes = {"z": 7, "a": 3000, "m": 20}
    got = learner.mixing_rates(sizes, 500, 4.0)
    close(got, reference(sizes, 500, 4.0))
    equal(list(got), ["z", "a", "m"])
    compare(learner, {"only": 5}, 2)


@points(1, ordinary)
def test_empty_task(learner, rng):
    """A task without examples has the share 0, at every temperature."""
    compare(learner, {"a": 30, "none": 0, "b": 10}, 100)
    compare(learner, {"none": 0, "a": 30}, 100, 50.0)


@points(1, ordinary)
def test_refusals(learner, rng):
    """No examples, a cap below 1, and a temperature of 0 or less raise a ValueError."""
    refuses(learner.mixing_rates, {"a": 0, "b": 0}, 10)
    refuses(learner.mixing_rates, {}, 10)
    for cap in (0, -3):
        refuses(learner.mixing_rates, {"a": 5, "b": 2}, cap)
    for temperature in (0.0, -1.0):
        refuses(learner.mixing_rates, {"a": 5, "b": 2}, 10, temperature)


@points(1, ordinary)
def test_small_numbers(learner, rng):
    """Caps and temperatures just inside their bounds are accepted."""
    compare(learner, {"a": 5, "b": 1}, 1)
    compare(learner, {"a": 3, "b": 2}, 10, 0.25)


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and the sizes are left unchanged."""
    sizes = {"a": 50, "b": 7}
    leaves_inputs_alone(learner, compare, sizes, 10, 2.0)
