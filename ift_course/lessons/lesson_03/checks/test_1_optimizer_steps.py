from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses
from ift_course.exercises.learner import Learner


def reference(n_examples: int, batch_size: int, accumulation: int, epochs: float) -> int:
    batches = len(range(0, n_examples, batch_size))
    total = len(range(0, batches, accumulation)) * epochs
    return int(total) + (total > int(total))


def compare(
    learner: Learner, n_examples: int, batch_size: int, accumulation: int, epochs: float
) -> None:
    run = n_examples, batch_size, accumulation, epochs
    equal(learner.optimizer_steps(*run), reference(*run))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    """Runs in which nothing is left over."""
    for _ in range(4):
        batch, accumulation, steps = rng.randint(2, 9), rng.randint(2, 5), rng.randint(2, 9)
        compare(learner, batch * accumulation * steps, batch, accumulation, rng.randint(2, 5))


@points(2)
def test_even_runs(learner, rng):
    """Where nothing is left over, it is examples · epochs / (batch · accumulation)."""
    ordinary(learner, rng)
    compare(learner, 96, 4, 1, 3)


@points(2, ordinary)
def test_last_batch(learner, rng):
    """The last, smaller batch of an epoch counts, in every epoch."""
    for extra in (1, rng.randint(2, 6), 7):
        compare(learner, 8 * rng.randint(2, 9) + extra, 8, 1, 3)
    compare(learner, 3, 8, 1, 4)


@points(2, ordinary)
def test_last_accumulation(learner, rng):
    """Batches that are left at the end of an epoch make one more step."""
    for extra in (1, 2, 3):
        compare(learner, 8 * (4 * rng.randint(2, 9) + extra), 8, 4, 3)
    compare(learner, 40, 8, 16, 2)
    compare(learner, 43, 4, 5, 3)


@points(1, ordinary)
def test_part_of_an_epoch(learner, rng):
    """A part of an epoch is rounded up at the end, once."""
    for epochs in (0.5, 1.5, 2.25, 0.01):
        compare(learner, 100, 10, 2, epochs)
        compare(learner, 7 * 8, 8, 2, epochs)
    compare(learner, 100, 10, 2, 0)


@points(1, ordinary)
def test_refusals(learner, rng):
    """Fewer than one example, batch or accumulation, and negative epochs, are refused."""
    for position in range(3):
        for value in (0, -2):
            run = [8, 4, 2, 1]
            run[position] = value
            refuses(learner.optimizer_steps, *run)
    refuses(learner.optimizer_steps, 8, 4, 2, -0.5)
