"""Inputs, references, and properties that the checks of several exercises share."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from ift_course.exercises.compare import unchanged
from ift_course.exercises.learner import Learner

if TYPE_CHECKING:
    from torch import Tensor

IGNORE = -100  # the label of a token that is not trained


def log_softmax(scores: list[float]) -> list[float]:
    """Log-probabilities in plain Python, independent of PyTorch's implementation."""
    top = max(scores)
    total = top + math.log(sum(math.exp(x - top) for x in scores))
    return [x - total for x in scores]


def uniform(rng: Random, count: int, low: float = -3, high: float = 3) -> Tensor:
    """A float32 tensor (count,) of uniform random numbers."""
    import torch

    return torch.tensor([rng.uniform(low, high) for _ in range(count)])


def matrix(rng: Random, rows: int, columns: int, scale: float = 1.0) -> Tensor:
    """A float32 tensor (rows, columns) of uniform random numbers within ±`scale`."""
    import torch

    return torch.tensor([[scale * rng.uniform(-1, 1) for _ in range(columns)] for _ in range(rows)])


def random_logits(rng: Random, rows: int, length: int, vocabulary: int) -> Tensor:
    """Float32 logits (rows, length, vocabulary)."""
    return uniform(rng, rows * length * vocabulary).view(rows, length, vocabulary)


def random_labels(rng: Random, labeled: list[list[int]], vocabulary: int) -> Tensor:
    """Labels (rows, length): random tokens where `labeled` is 1, `IGNORE` where it is 0."""
    import torch

    return torch.tensor([[rng.randrange(vocabulary) if x else IGNORE for x in y] for y in labeled])


def labeled_batch(
    rng: Random, labeled: list[list[int]], vocabulary: int = 5
) -> tuple[Tensor, Tensor]:
    """Random logits (rows, length, vocabulary), and labels as `random_labels` makes them."""
    logits = random_logits(rng, len(labeled), len(labeled[0]), vocabulary)
    return logits, random_labels(rng, labeled, vocabulary)


def leaves_inputs_alone(learner: Learner, compare: Callable[..., None], *args: Any) -> None:
    """Require the right answer and unchanged arguments.

    Args:
        learner: Whose function is called.
        compare: Takes the learner and `args`, calls the learner's function with `args`, and
            compares its answer.
        *args: The arguments.

    Raises:
        Mismatch: The answer is wrong, or an argument was changed.
    """
    compare(learner, *args)
    unchanged(learner, *args)
