import math
from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, unchanged
from ift_course.exercises.learner import Learner

IGNORE = -100


def reference(logits: list[list[list[float]]], labels: list[list[int]]) -> list[float]:
    sums = []
    for scores, wanted in zip(logits, labels, strict=True):
        total = 0.0
        for row, label in zip(scores[:-1], wanted[1:], strict=True):
            if label != IGNORE:
                top = max(row)
                total += row[label] - top - math.log(sum(math.exp(x - top) for x in row))
        sums.append(total)
    return sums


def batch(rng: Random, counted: list[list[int]], vocabulary: int = 5):
    logits = [[[rng.uniform(-3, 3) for _ in range(vocabulary)] for _ in row] for row in counted]
    labels = [[rng.randrange(vocabulary) if x else IGNORE for x in row] for row in counted]
    return logits, labels


def compare(learner: Learner, logits, labels) -> None:
    got = learner.sequence_log_probs(torch.tensor(logits), torch.tensor(labels))
    close(got, torch.tensor(reference(logits, labels)))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, *batch(rng, [[0, 0, 1, 1], [0, 1, 1, 1]]))


@points(2)
def test_each_row(learner, rng):
    """Each row has one number: the sum of the log-probabilities of its labeled tokens."""
    compare(learner, *batch(rng, [[0, 0, 1, 1], [0, 1, 1, 0], [0, 0, 0, 1]]))


@points(1)
def test_one_row(learner, rng):
    """A batch of one row gives a tensor of one number."""
    compare(learner, *batch(rng, [[0, 0, 1]]))


@points(2)
def test_sum_and_not_mean(learner, rng):
    """A long response is less likely than a short one: it is the sum, not the mean."""
    logits, labels = batch(rng, [[0, 1, 1, 1, 1, 1], [0, 1, 0, 0, 0, 0]])
    compare(learner, [[[0.0] * 5] * 6] * 2, labels)
    compare(learner, logits, labels)


@points(1)
def test_first_column(learner, rng):
    """A label in the first column has no score, and does not count."""
    compare(learner, *batch(rng, [[1, 1, 0], [1, 0, 0]]))


@points(1)
def test_nothing_labeled(learner, rng):
    """A row without a label has the sum 0."""
    compare(learner, *batch(rng, [[0, 0, 0], [0, 1, 1]]))


@points(1, ordinary)
def test_large_scores(learner, rng):
    """Scores of a thousand are no trouble, also where nothing counts."""
    logits = [[[1000.0, 998.0], [-1000.0, -1002.0], [0.0, 900.0]]]
    compare(learner, logits, [[IGNORE, 1, 0]])
    endless = torch.tensor(logits)
    endless[0, 1] = float("-inf")
    close(
        learner.sequence_log_probs(endless, torch.tensor([[IGNORE, 1, IGNORE]])),
        torch.tensor(reference(logits, [[IGNORE, 1, IGNORE]])),
    )


@points(1)
def test_half_precision(learner, rng):
    """Scores in bfloat16 are taken to float32 before anything is computed."""
    logits, labels = batch(rng, [[0, 1, 1, 1, 1, 1, 1, 1]])
    half = torch.tensor(logits).bfloat16()
    close(
        learner.sequence_log_probs(half, torch.tensor(labels)),
        torch.tensor(reference(half.tolist(), labels)),
    )


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and scores and labels are left as they were."""
    logits, labels = (torch.tensor(x) for x in batch(rng, [[0, 1, 0], [0, 0, 1]]))
    close(
        learner.sequence_log_probs(logits, labels),
        torch.tensor(reference(logits.tolist(), labels.tolist())),
    )
    unchanged(learner, logits, labels)
