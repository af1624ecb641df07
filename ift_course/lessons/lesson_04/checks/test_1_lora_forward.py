from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import close, require, unchanged
from ift_course.exercises.learner import Learner


def product(rows: list[list[float]], matrix: list[list[float]]) -> list[list[float]]:
    """rows @ matrix.T, in Python's own numbers."""
    return [[sum(x * w for x, w in zip(row, out, strict=True)) for out in matrix] for row in rows]


def reference(x, weight, a, b, alpha: float) -> list[list[float]]:
    detour = product(product(x, a), b)
    plain = product(x, weight)
    scale = alpha / len(a)
    return [
        [p + scale * d for p, d in zip(*rows, strict=True)]
        for rows in zip(plain, detour, strict=True)
    ]


def matrix(rng: Random, rows: int, columns: int) -> list[list[float]]:
    return [[rng.uniform(-1, 1) for _ in range(columns)] for _ in range(rows)]


def layer(rng: Random, inputs: int = 5, outputs: int = 4, rank: int = 2, batch: int = 3):
    return (
        matrix(rng, batch, inputs),
        matrix(rng, outputs, inputs),
        matrix(rng, rank, inputs),
        matrix(rng, outputs, rank),
    )


def compare(learner: Learner, parts, alpha: float) -> None:
    got = learner.lora_forward(*map(torch.tensor, parts), alpha)
    close(got, torch.tensor(reference(*parts, alpha)))


@points(2)
def test_weight_and_detour(learner, rng):
    """The frozen weight's product and the scaled detour are added."""
    compare(learner, layer(rng), 4.0)


@points(1)
def test_before_training(learner, rng):
    """With b at zero, as training begins, the layer is what it was."""
    x, weight, a, b = layer(rng)
    compare(learner, (x, weight, a, [[0.0] * len(a) for _ in b]), 16.0)


@points(2)
def test_scale(learner, rng):
    """The detour's factor is alpha / rank, for any rank."""
    for rank, alpha in ((1, 3.0), (3, 3.0), (4, 0.5)):
        compare(learner, layer(rng, rank=rank), alpha)


@points(1)
def test_square_layer(learner, rng):
    """It is right for a square layer too, where a wrong transpose is not seen in the shape."""
    compare(learner, layer(rng, inputs=3, outputs=3, rank=3), 2.0)


@points(1)
def test_dimensions(learner, rng):
    """x may have any number of dimensions in front: (batch, length, inputs), or only (inputs,)."""
    x, weight, a, b = layer(rng, batch=6)
    expected = torch.tensor(reference(x, weight, a, b, 8.0))
    parts = [torch.tensor(part) for part in (weight, a, b)]
    close(learner.lora_forward(torch.tensor(x).view(2, 3, 5), *parts, 8.0), expected.view(2, 3, 4))
    close(learner.lora_forward(torch.tensor(x[0]), *parts, 8.0), expected[0])


@points(1)
def test_dtype(learner, rng):
    """The result has the dtype of the inputs."""
    parts = layer(rng)
    got = learner.lora_forward(*(torch.tensor(x, dtype=torch.float64) for x in parts), 4.0)
    expected = torch.tensor(reference(*parts, 4.0), dtype=torch.float64)
    close(got, expected, 1e-9)
    require(
        got.dtype == torch.float64, "The dtype of the inputs is lost.", "float64", str(got.dtype)
    )
    large = [[[1e6 + 1e-3, -1e6]], [[1.0, 1.0]], [[1.0, 1.0]], [[1.0]]]
    got = learner.lora_forward(*(torch.tensor(x, dtype=torch.float64) for x in large), 1.0)
    close(got, torch.tensor(reference(*large, 1.0), dtype=torch.float64), 1e-9)


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and inputs and matrices are left as they were."""
    parts = layer(rng)
    tensors = [torch.tensor(part) for part in parts]
    close(learner.lora_forward(*tensors, 2.0), torch.tensor(reference(*parts, 2.0)))
    unchanged(learner, *tensors, 2.0)
