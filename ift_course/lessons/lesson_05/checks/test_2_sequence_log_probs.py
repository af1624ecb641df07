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


def reference(logits: list[list[list[float]]], labels: list[list[int]]) -> list[float]:
    return [
        sum(
            log_softmax(row)[label]
            for row, label in zip(scores[:-1], targets[1:], strict=True)
            if label != IGNORE
        )
        for scores, targets in zip(logits, labels, strict=True)
    ]


def compare(learner: Learner, logits: Tensor, labels: Tensor) -> None:
    expected = reference(logits.tolist(), labels.tolist())
    close(learner.sequence_log_probs(logits, labels), torch.tensor(expected))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, *labeled_batch(rng, [[0, 0, 1, 1], [0, 1, 1, 1]]))


@points(2)
def test_each_row(learner, rng):
    """Each row has one number: the sum of the log-probabilities of its labeled tokens."""
    compare(learner, *labeled_batch(rng, [[0, 0, 1, 1], [0, 1, 1, 0], [0, 0, 0, 1]]))


@points(1)
def test_one_row(learner, rng):
    """A batch of one row gives a tensor of one number."""
    compare(learner, *labeled_batch(rng, [[0, 0, 1]]))


@points(2)
def test_sum_and_not_mean(learner, rng):
    """A long response is less likely than a short one: it is the sum, not the mean."""
    logits, labels = labeled_batch(rng, [[0, 1, 1, 1, 1, 1], [0, 1, 0, 0, 0, 0]])
    compare(learner, torch.zeros_like(logits), labels)
    compare(learner, logits, labels)


@points(1)
def test_first_column(learner, rng):
    """A label in the first column has no score, and does not count."""
    compare(learner, *labeled_batch(rng, [[1, 1, 0], [1, 0, 0]]))


@points(1)
def test_nothing_labeled(learner, rng):
    """A row without labels has the sum 0."""
    compare(learner, *labeled_batch(rng, [[0, 0, 0], [0, 1, 1]]))


@points(1, ordinary)
def test_large_scores(learner, rng):
    """Scores in the thousands cause no overflow, even where nothing counts."""
    logits = torch.tensor([[[1000.0, 998.0], [-1000.0, -1002.0], [0.0, 900.0]]])
    compare(learner, logits, torch.tensor([[IGNORE, 1, 0]]))
    labels = torch.tensor([[IGNORE, 1, IGNORE]])
    expected = reference(logits.tolist(), labels.tolist())
    infinite = logits.clone()  # the recorded call still needs the first tensor
    infinite[0, 1] = float("-inf")
    close(learner.sequence_log_probs(infinite, labels), torch.tensor(expected))


@points(1)
def test_half_precision(learner, rng):
    """Scores in bfloat16 are converted to float32 before anything is computed."""
    logits, labels = labeled_batch(rng, [[0, 1, 1, 1, 1, 1, 1, 1]])
    compare(learner, logits.bfloat16(), labels)


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and scores and labels are left unchanged."""
    leaves_inputs_alone(learner, compare, *labeled_batch(rng, [[0, 1, 0], [0, 0, 1]]))
