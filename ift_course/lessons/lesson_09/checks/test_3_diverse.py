from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, unchanged
from ift_course.exercises.learner import Learner


def reference(vectors: list[list[float]], quality: list[float], count: int, floor: float):
    def distance(i: int, j: int) -> float:
        return sum((x - y) ** 2 for x, y in zip(vectors[i], vectors[j], strict=True))

    good = [i for i in range(len(quality)) if quality[i] >= floor]
    selected: list[int] = []
    while len(selected) < min(count, len(good)):
        left = [i for i in good if i not in selected]
        score = {i: min(distance(i, j) for j in selected) if selected else quality[i] for i in left}
        selected.append(min(left, key=lambda i: (-score[i], i)))
    return selected


def compare(
    learner: Learner, vectors: list[list[float]], quality: list[float], count: int, floor=0.0
):
    got = learner.diverse(torch.tensor(vectors), quality, count, floor)
    equal(got, reference(vectors, quality, count, floor))


def cloud(rng: Random, size: int) -> list[list[float]]:
    return [[rng.uniform(-1, 1) for _ in range(3)] for _ in range(size)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    for _ in range(2):
        compare(learner, cloud(rng, 9), [rng.random() for _ in range(9)], 2)


@points(1, ordinary)
def test_begins_with_the_best(learner, rng):
    """The first record is the one of the highest quality, wherever it is."""
    for best in (0, 3, 5):
        quality = [0.5] * 6
        quality[best] = 0.9
        compare(learner, cloud(rng, 6), quality, 1)


@points(2)
def test_farthest_from_the_nearest(learner, rng):
    """Each next record is farthest from the nearest of those selected."""
    places = [[0.0, 0.0], [10.0, 0.0], [5.0, 4.0], [8.0, 5.0], [0.2, -0.3], [9.9, -0.9]]
    compare(learner, places, [1.0] + [0.5] * 5, 3)
    for _ in range(3):
        compare(learner, cloud(rng, 12), [rng.random() for _ in range(12)], 7)


@points(2)
def test_quality_floor(learner, rng):
    """Records below the floor are never selected; one on the floor may be."""
    vectors = [[0.0], [100.0], [3.0], [7.0], [5.0]]
    compare(learner, vectors, [0.9, 0.2, 0.5, 0.6, 0.49], 4, 0.5)
    compare(learner, cloud(rng, 15), [rng.random() for _ in range(15)], 6, 0.4)


@points(1, ordinary)
def test_quality_only_opens(learner, rng):
    """After the first, only distance counts, not quality."""
    compare(learner, [[0.0], [1.0], [-3.0]], [0.9, 0.8, 0.1], 2)


@points(1, ordinary)
def test_equals(learner, rng):
    """Among equal records the lowest index is selected."""
    compare(learner, [[0.0], [1.0], [-1.0], [1.0], [0.0]], [0.5] * 5, 5)
    compare(learner, [[1.0], [0.0], [2.0]], [0.4, 0.7, 0.7], 3)


@points(1, ordinary)
def test_few(learner, rng):
    """When no good record is left, the list is shorter; with none, or count 0, it is empty."""
    compare(learner, [[0.0], [1.0]], [0.1, 0.2], 2, 0.5)
    compare(learner, [[0.0], [1.0], [5.0]], [0.9, 0.9, 0.1], 5, 0.5)
    compare(learner, [[0.0], [1.0]], [0.6, 0.7], 0, 0.5)


@points(1, ordinary)
def test_length_matters(learner, rng):
    """Distance is Euclidean: two vectors of the same direction may be far apart."""
    compare(learner, [[1.0, 0.0], [9.0, 0.0], [0.0, 1.0], [3.0, 3.0]], [0.9, 0.1, 0.1, 0.1], 3)


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and vectors and qualities are left unchanged."""
    vectors, quality = torch.tensor([[0.0], [2.0], [1.0]]), [0.4, 0.5, 0.6]
    equal(learner.diverse(vectors, quality, 2, 0.0), [2, 0])
    unchanged(learner, vectors, quality, 2, 0.0)
