from random import Random

import torch
from torch import Tensor

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import (
    IGNORE,
    labeled_batch,
    leaves_inputs_alone,
    log_softmax,
)


def by_hand(logits: list[list[list[float]]], labels: list[list[int]]) -> float:
    losses = []
    for scores, targets in zip(logits, labels, strict=True):
        for row, label in zip(scores[:-1], targets[1:], strict=True):
            if label != IGNORE:
                losses.append(-log_softmax(row)[label])
    return sum(losses) / len(losses) if losses else 0.0


def compare(learner: Learner, logits: Tensor, labels: Tensor) -> None:
    expected = by_hand(logits.tolist(), labels.tolist())
    close(learner.response_loss(logits, labels), torch.tensor(expected))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, *labeled_batch(rng, [[0, 0, 1, 1, 1]]))


@points(2)
def test_one_row(learner, rng):
    """In one row, only the trained tokens count."""
    compare(learner, *labeled_batch(rng, [[0, 0, 1, 1, 1, 0]]))
    compare(learner, *labeled_batch(rng, [[0, 0, 1]]))


@points(2)
def test_shift(learner, rng):
    """The scores at a position predict the next token, and the first token has none."""
    compare(learner, *labeled_batch(rng, [[1, 1, 1]]))


@points(2)
def test_every_token_counts_the_same(learner, rng):
    """The mean is over all trained tokens of the batch, not over rows."""
    for _ in range(2):
        compare(learner, *labeled_batch(rng, [[0, 1, 0, 0, 0, 0], [0, 1, 1, 1, 1, 1]]))


@points(1)
def test_row_without_response(learner, rng):
    """A row without trained tokens changes nothing."""
    compare(learner, *labeled_batch(rng, [[0, 0, 0, 0], [0, 0, 1, 1]]))


@points(1, ordinary)
def test_nothing_trained(learner, rng):
    """If no token of the batch is trained, the loss is 0 and not NaN."""
    compare(learner, *labeled_batch(rng, [[0, 0, 0], [0, 0, 0]]))


@points(1)
def test_half_precision(learner, rng):
    """Scores in bfloat16 are converted to float32 before anything is computed."""
    logits, labels = labeled_batch(rng, [[0, 1, 1, 1, 1, 1, 1, 1]])
    compare(learner, logits.bfloat16(), labels)


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and scores and labels are left unchanged."""
    leaves_inputs_alone(learner, compare, *labeled_batch(rng, [[0, 1, 0], [0, 0, 1]]))
