from random import Random
from typing import Any

import torch
from torch import Tensor

from ift_course.exercises import points
from ift_course.exercises.compare import close, require
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone, matrix


def product(rows: list[list[float]], matrix: list[list[float]]) -> list[list[float]]:
    """rows @ matrix.T in plain Python."""
    return [[sum(x * w for x, w in zip(row, out, strict=True)) for out in matrix] for row in rows]


def reference(x, weight, a, b, alpha: float) -> list[list[float]]:
    update = product(product(x, a), b)
    plain = product(x, weight)
    scale = alpha / len(a)
    return [
        [p + scale * d for p, d in zip(*rows, strict=True)]
        for rows in zip(plain, update, strict=True)
    ]


def layer(
    rng: Random, inputs: int = 5, outputs: int = 4, rank: int = 2, batch: int = 3
) -> list[Tensor]:
    """x (batch, inputs), weight (outputs, inputs), a (rank, inputs), b (outputs, rank)."""
    shapes = (batch, inputs), (outputs, inputs), (rank, inputs), (outputs, rank)
    return [matrix(rng, *shape) for shape in shapes]


def compare(learner: Learner, *args: Any, tolerance: float = 1e-5) -> Any:
    """Compare on the tensors of a layer and alpha; return the learner's answer."""
    *parts, alpha = args
    got = learner.lora_forward(*parts, alpha)
    expected = torch.tensor(
        reference(*(x.tolist() for x in parts), alpha=alpha), dtype=parts[0].dtype
    )
    close(got, expected, tolerance)
    return got


@points(2)
def test_weight_and_detour(learner, rng):
    """The frozen weight's product and the scaled low-rank update are added."""
    compare(learner, *layer(rng), 4.0)


@points(1)
def test_before_training(learner, rng):
    """With b at zero, as at the start of training, the layer is unchanged."""
    x, weight, a, b = layer(rng)
    compare(learner, x, weight, a, torch.zeros_like(b), 16.0)


@points(2)
def test_scale(learner, rng):
    """The low-rank update is scaled by alpha / rank, for any rank."""
    for rank, alpha in ((1, 3.0), (3, 3.0), (4, 0.5)):
        compare(learner, *layer(rng, rank=rank), alpha)


@points(1)
def test_square_layer(learner, rng):
    """It is right for a square layer, too, where the shape does not reveal a wrong transpose."""
    compare(learner, *layer(rng, inputs=3, outputs=3, rank=3), 2.0)


@points(1)
def test_dimensions(learner, rng):
    """x may have any number of leading dimensions: (batch, length, inputs) or only (inputs,)."""
    x, *parts = layer(rng, batch=6)
    expected = torch.tensor(reference(x.tolist(), *(part.tolist() for part in parts), alpha=8.0))
    close(learner.lora_forward(x.view(2, 3, 5), *parts, 8.0), expected.view(2, 3, 4))
    close(learner.lora_forward(x[0], *parts, 8.0), expected[0])


@points(1)
def test_dtype(learner, rng):
    """The result has the dtype of the inputs."""
    got = compare(learner, *(x.double() for x in layer(rng)), 4.0, tolerance=1e-9)
    require(
        got.dtype == torch.float64, "The dtype of the inputs is lost.", "float64", str(got.dtype)
    )
    large = [[[1e6 + 1e-3, -1e6]], [[1.0, 1.0]], [[1.0, 1.0]], [[1.0]]]
    parts = (torch.tensor(x, dtype=torch.float64) for x in large)
    compare(learner, *parts, 1.0, tolerance=1e-9)


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and inputs and matrices are left unchanged."""
    leaves_inputs_alone(learner, compare, *layer(rng), 2.0)
