from random import Random
from typing import Any

import torch
from torch import Tensor

from ift_course.exercises import points
from ift_course.exercises.compare import close, equal, require
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone, matrix


def layer(rng: Random, outputs: int, inputs: int, rank: int, scale: float = 1.0) -> list[Tensor]:
    """weight (outputs, inputs), a (rank, inputs), b (outputs, rank) within ±`scale`."""
    weight, a = matrix(rng, outputs, inputs), matrix(rng, rank, inputs)
    return [weight, a, matrix(rng, outputs, rank, scale)]


def reference(weight, a, b, alpha: float) -> list[list[float]]:
    rank = len(a)
    return [
        [w + alpha / rank * sum(b[i][k] * a[k][j] for k in range(rank)) for j, w in enumerate(row)]
        for i, row in enumerate(weight)
    ]


def compare(learner: Learner, *args: Any) -> Any:
    """Compare on weight, a, b, and alpha; return the learner's answer."""
    *parts, alpha = args
    expected = torch.tensor(reference(*(x.tolist() for x in parts), alpha=alpha))
    got = learner.lora_merge(*parts, alpha)
    close(got, expected)
    return got


@points(2)
def test_merged(learner, rng):
    """The merged weight is the weight plus the scaled product of b and a."""
    compare(learner, *layer(rng, 4, 5, 2), 6.0)


@points(1)
def test_scale(learner, rng):
    """The update is scaled by alpha / rank, for any rank."""
    for rank, alpha in ((1, 0.5), (3, 3.0), (4, 8.0)):
        compare(learner, *layer(rng, 2, 3, rank), alpha)


@points(1)
def test_square_layer(learner, rng):
    """It is right for a square layer, where the shape does not reveal a wrong order."""
    compare(learner, *layer(rng, 3, 3, 3), 3.0)


@points(2)
def test_half_precision(learner, rng):
    """A bfloat16 weight stays bfloat16 and is rounded only once, at the end."""
    weight, a, b = layer(rng, 6, 8, 2, 0.05)
    weight = weight.bfloat16()
    exact = torch.tensor(reference(weight.tolist(), a.tolist(), b.tolist(), 4.0))
    equal(learner.lora_merge(weight, a, b, 4.0), exact.bfloat16())


@points(1)
def test_half_precision_adapter(learner, rng):
    """An adapter in bfloat16 is converted to float32 before the product."""
    weight, a, b = layer(rng, 3, 4, 2)
    got = compare(learner, weight, a.bfloat16(), b.bfloat16(), 4.0)
    require(
        got.dtype == torch.float32, "The dtype of the weight is lost.", "float32", str(got.dtype)
    )


@points(1)
def test_weight_stays(learner, rng):
    """The answer is right and a new tensor; the given ones are left unchanged."""
    leaves_inputs_alone(learner, compare, *layer(rng, 3, 4, 2), 4.0)
