from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner


def reference(special, retained, tolerance, patience) -> tuple[int, int]:
    inside = [score >= retained[0] - tolerance for score in retained]
    count = len(special)
    for end in range(patience, len(special) + 1):
        if not any(inside[end - patience : end]):
            count = end
            break
    good = [i for i in range(count) if inside[i]]
    return max(good, key=lambda i: (special[i], -i)), count


def compare(learner: Learner, special, retained, tolerance=10, patience=1) -> None:
    got = learner.keep_checkpoint(special, retained, tolerance, patience)
    equal(got, reference(special, retained, tolerance, patience))


LEARNED = [0, 40, 60, 70, 80, 90]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    """Nothing is forgotten, so training runs to the end and the best checkpoint is kept."""
    for _ in range(3):
        special = rng.sample(range(100), rng.randint(5, 20))
        compare(learner, special, [90] * len(special))


@points(2, ordinary)
def test_stops(learner, rng):
    """Training stops at the first evaluation out of bounds, and the best one before it is kept."""
    compare(learner, LEARNED, [90, 88, 85, 70, 90, 90])
    compare(learner, LEARNED, [90, 70, 70, 70, 70, 70])


@points(1, ordinary)
def test_never_out_of_bounds(learner, rng):
    """Where nothing is forgotten, training runs to the end and the best is kept."""
    compare(learner, LEARNED, [90] * 6)
    compare(learner, [0, 50, 90, 80], [90, 90, 90, 90])


@points(2, ordinary)
def test_patience(learner, rng):
    """Only evaluations out of bounds *in a row* stop training; one in bounds resets the count."""
    retained = [90, 70, 90, 70, 70, 90]
    for patience in (1, 2, 3):
        compare(learner, LEARNED, retained, patience=patience)
    for _ in range(4):
        left = [80, *(rng.choice([60, 80]) for _ in range(11))]
        gained = [rng.randrange(20) for _ in left]
        compare(learner, gained, left, patience=rng.randrange(1, 4))


@points(2, ordinary)
def test_out_of_bounds_is_never_kept(learner, rng):
    """A checkpoint that lost too much is not kept, however good it is at the new task."""
    compare(learner, [10, 90, 30, 20], [90, 50, 90, 90], patience=3)
    compare(learner, [10, 90], [90, 50], patience=2)


@points(1, ordinary)
def test_from_the_first_look(learner, rng):
    """The bound is the first retained score minus the tolerance, not the previous or the best."""
    compare(learner, LEARNED, [50, 90, 70, 60, 42, 39], 10)
    compare(learner, LEARNED, [90, 85, 80, 75, 70, 65], 10, 3)


@points(1, ordinary)
def test_on_the_bound(learner, rng):
    """Exactly the tolerance may be lost, and a tolerance of 0 allows no loss."""
    compare(learner, [10, 50, 60], [90, 80, 70], 10)
    compare(learner, [10, 50, 60], [75, 50, 49], 25)
    compare(learner, [10, 50, 60, 70], [90, 90, 89, 90], 0)


@points(1, ordinary)
def test_equals(learner, rng):
    """Among equal special scores the earliest checkpoint is kept."""
    compare(learner, [50, 70, 70, 70], [90] * 4)
    compare(learner, [0, 0, 0], [90, 50, 90], patience=2)


@points(1, ordinary)
def test_the_best_may_be_before_training(learner, rng):
    """If training makes the new task worse, the first checkpoint is kept."""
    compare(learner, [50, 30, 20], [90, 90, 90])
    compare(learner, [5], [90])


@points(1, ordinary)
def test_refusals(learner, rng):
    """No evaluations, different lengths, a negative tolerance, and patience 0 are refused."""
    refuses(learner.keep_checkpoint, [], [], 10, 1)
    refuses(learner.keep_checkpoint, [10, 20], [90], 10, 1)
    refuses(learner.keep_checkpoint, [10], [90, 90], 10, 1)
    refuses(learner.keep_checkpoint, [10], [90], -1, 1)
    refuses(learner.keep_checkpoint, [10], [90], 10, 0)


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and both lists are left unchanged."""
    special, retained = [10, 60, 80], [90, 85, 70]
    compare(learner, special, retained)
    unchanged(learner, special, retained, 10, 1)
