from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import close, equal, require, unchanged
from ift_course.exercises.learner import Learner


def matrix(rng: Random, rows: int, columns: int, scale: float = 1.0) -> list[list[float]]:
    return [[scale * rng.uniform(-1, 1) for _ in range(columns)] for _ in range(rows)]


def reference(weight, a, b, alpha: float) -> list[list[float]]:
    rank = len(a)
    return [
        [w + alpha / rank * sum(b[i][k] * a[k][j] for k in range(rank)) for j, w in enumerate(row)]
        for i, row in enumerate(weight)
    ]


def compare(learner: Learner, parts, alpha: float) -> None:
    got = learner.lora_merge(*map(torch.tensor, parts), alpha)
    close(got, torch.tensor(reference(*parts, alpha)))


@points(2)
def test_merged(learner, rng):
    """The merged weight is the weight plus the scaled product of b and a."""
    compare(learner, (matrix(rng, 4, 5), matrix(rng, 2, 5), matrix(rng, 4, 2)), 6.0)


@points(1)
def test_scale(learner, rng):
    """The update's factor is alpha / rank, for any rank."""
    for rank, alpha in ((1, 0.5), (3, 3.0), (4, 8.0)):
        compare(learner, (matrix(rng, 2, 3), matrix(rng, rank, 3), matrix(rng, 2, rank)), alpha)


@points(1)
def test_square_layer(learner, rng):
    """It is right for a square layer, where a wrong order is not seen in the shape."""
    compare(learner, (matrix(rng, 3, 3), matrix(rng, 3, 3), matrix(rng, 3, 3)), 3.0)


@points(2)
def test_half_precision(learner, rng):
    """A bfloat16 weight stays one, and is rounded only once, at the end."""
    weight = torch.tensor(matrix(rng, 6, 8)).bfloat16()
    a, b = torch.tensor(matrix(rng, 2, 8)), torch.tensor(matrix(rng, 6, 2, 0.05))
    exact = torch.tensor(reference(weight.tolist(), a.tolist(), b.tolist(), 4.0))
    equal(learner.lora_merge(weight, a, b, 4.0), exact.bfloat16())


@points(1)
def test_half_precision_adapter(learner, rng):
    """An adapter in bfloat16 is taken to float32 before the product."""
    weight = torch.tensor(matrix(rng, 3, 4))
    a, b = (torch.tensor(matrix(rng, *shape)).bfloat16() for shape in ((2, 4), (3, 2)))
    got = learner.lora_merge(weight, a, b, 4.0)
    close(got, torch.tensor(reference(weight.tolist(), a.tolist(), b.tolist(), 4.0)))
    require(
        got.dtype == torch.float32, "The dtype of the weight is lost.", "float32", str(got.dtype)
    )


@points(1)
def test_weight_stays(learner, rng):
    """The answer is right, and a new tensor; the given ones are left as they were."""
    parts = matrix(rng, 3, 4), matrix(rng, 2, 4), matrix(rng, 3, 2)
    tensors = [torch.tensor(part) for part in parts]
    close(learner.lora_merge(*tensors, 4.0), torch.tensor(reference(*parts, 4.0)))
    unchanged(learner, *tensors, 4.0)
