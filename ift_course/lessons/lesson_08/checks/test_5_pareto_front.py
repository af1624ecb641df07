from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def reference(gain: list[float], loss: list[float]) -> list[int]:
    def beaten(j: int) -> bool:
        for i in range(len(gain)):
            better = gain[i] > gain[j] and loss[i] <= loss[j]
            cheaper = gain[i] >= gain[j] and loss[i] < loss[j]
            if better or cheaper:
                return True
        return False

    return sorted((j for j in range(len(gain)) if not beaten(j)), key=lambda j: (loss[j], j))


def compare(learner: Learner, gain: list[float], loss: list[float]) -> None:
    equal(learner.pareto_front(gain, loss), reference(gain, loss))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    """Remedies that each gain more and cost more, and some that others beat by far."""
    for _ in range(2):
        front = [(0.5 + i / 10, i / 10) for i in range(5)]
        places = [*front, *((rng.uniform(0, 0.2), rng.uniform(0.6, 0.9)) for _ in range(4))]
        rng.shuffle(places)
        compare(learner, *map(list, zip(*places, strict=True)))


@points(2)
def test_front(learner, rng):
    """It contains what no other remedy beats, by rising loss."""
    compare(learner, [0.9, 0.5, 0.7, 0.4], [0.6, 0.2, 0.4, 0.3])
    for _ in range(3):
        places = [(rng.random(), rng.random()) for _ in range(12)]
        compare(learner, *map(list, zip(*places, strict=True)))


@points(1, ordinary)
def test_which_way_is_better(learner, rng):
    """A high gain is good, and a low loss."""
    compare(learner, [0.9, 0.1], [0.1, 0.9])
    compare(learner, [0.1, 0.9], [0.1, 0.9])


@points(1, ordinary)
def test_between(learner, rng):
    """A remedy below the line between two of the front is not thereby beaten."""
    compare(learner, [0.0, 0.3, 1.0], [0.0, 0.5, 1.0])


@points(2, ordinary)
def test_equal_in_one(learner, rng):
    """Of equal gains the cheaper one stays; of equal losses the one that gains more."""
    compare(learner, [0.5, 0.5, 0.5], [0.3, 0.1, 0.2])
    compare(learner, [0.5, 0.7, 0.6], [0.2, 0.2, 0.2])


@points(2, ordinary)
def test_twins(learner, rng):
    """Two remedies with the same gain and loss do not beat each other; the index orders them."""
    compare(learner, [0.5, 0.1, 0.5], [0.2, 0.4, 0.2])
    compare(learner, [0.9, 0.5, 0.9, 0.5], [0.3, 0.1, 0.3, 0.1])


@points(1, ordinary)
def test_negative(learner, rng):
    """A loss below 0 is a gain elsewhere, and counts as a very low loss."""
    compare(learner, [0.2, 0.6, -0.1], [-0.1, 0.0, -0.3])


@points(1, ordinary)
def test_few(learner, rng):
    """A single remedy is the front, and without remedies the front is empty."""
    compare(learner, [0.5], [0.5])
    compare(learner, [], [])


@points(1, ordinary)
def test_refusals(learner, rng):
    """Lists of different lengths are refused with a ValueError."""
    refuses(learner.pareto_front, [0.5, 0.6], [0.1])
    refuses(learner.pareto_front, [0.5], [0.1, 0.2])


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and both lists are left unchanged."""
    gain, loss = [0.4, 0.9, 0.1], [0.3, 0.5, 0.1]
    leaves_inputs_alone(learner, compare, gain, loss)
