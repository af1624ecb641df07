from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def reference(matrix: list[list[float]]) -> tuple[float, float, float]:
    last = matrix[-1]
    average = sum(last) / len(last)
    if len(last) == 1:
        return average, 0.0, 0.0
    changes, drops = [], []
    for j in range(len(last) - 1):
        column = [row[j] for row in matrix]
        changes.append(column[-1] - column[j])
        drops.append(max(column[:-1]) - column[-1])
    return average, sum(changes) / len(changes), max(drops)


def compare(learner: Learner, matrix: list[list[float]]) -> None:
    close(learner.forgetting(matrix), reference(matrix))


def table(rng: Random, tasks: int) -> list[list[float]]:
    return [[rng.random() for _ in range(tasks)] for _ in range(tasks)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, table(rng, 2))


@points(2)
def test_three_numbers(learner, rng):
    """Average accuracy, backward transfer, and worst forgetting are right for a random table."""
    for tasks in (2, 3, 6):
        compare(learner, table(rng, tasks))


@points(1, ordinary)
def test_rows_and_columns(learner, rng):
    """A row is a point in time, a column a task."""
    compare(learner, [[0.9, 0.1, 0.2], [0.5, 0.8, 0.3], [0.4, 0.6, 0.7]])
    compare(learner, [[0.9, 0.5, 0.4], [0.1, 0.8, 0.6], [0.2, 0.3, 0.7]])


@points(2, ordinary)
def test_last_task(learner, rng):
    """The last task cannot have been forgotten yet, so it does not count."""
    compare(learner, [[0.6, 0.0], [0.6, 0.9]])
    compare(learner, [[0.5, 0.9], [0.5, 0.1]])


@points(1, ordinary)
def test_getting_better(learner, rng):
    """If tasks improve later, backward transfer is above 0 and forgetting below it."""
    compare(learner, [[0.5, 0.1, 0.0], [0.6, 0.7, 0.1], [0.9, 0.8, 0.9]])


@points(2, ordinary)
def test_best_before_the_end(learner, rng):
    """Forgetting is measured from the best accuracy before the end, whenever that was."""
    compare(learner, [[0.5, 0.2, 0.1], [0.9, 0.6, 0.1], [0.7, 0.6, 0.8]])
    compare(learner, [[0.5, 0.8, 0.1], [0.4, 0.6, 0.1], [0.3, 0.5, 0.8]])


@points(1, ordinary)
def test_worst_task(learner, rng):
    """It is the largest drop of any task, not their mean, nor that of the first task."""
    compare(learner, [[0.9, 0.0, 0.0], [0.9, 0.9, 0.0], [0.8, 0.2, 0.9]])


@points(1, ordinary)
def test_one_task(learner, rng):
    """With one task there is nothing to forget: both are 0."""
    compare(learner, [[0.7]])


@points(1, ordinary)
def test_refusals(learner, rng):
    """An empty table, and one that is not square, are refused with a ValueError."""
    refuses(learner.forgetting, [])
    refuses(learner.forgetting, [[0.5, 0.5]])
    refuses(learner.forgetting, [[0.5], [0.5]])
    refuses(learner.forgetting, [[0.5, 0.5], [0.5]])
    refuses(learner.forgetting, [[0.5], [0.5, 0.5]])


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and the table is left unchanged."""
    matrix = table(rng, 3)
    leaves_inputs_alone(learner, compare, matrix)
