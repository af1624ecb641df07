import math
from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, unchanged
from ift_course.exercises.learner import Learner

IGNORE = -100


def by_hand(logits: list[list[list[float]]], labels: list[list[int]]) -> float:
    losses = []
    for scores, wanted in zip(logits, labels, strict=True):
        for row, label in zip(scores[:-1], wanted[1:], strict=True):
            if label != IGNORE:
                top = max(row)
                losses.append(top + math.log(sum(math.exp(x - top) for x in row)) - row[label])
    return sum(losses) / len(losses) if losses else 0.0


def batch(rng: Random, trained: list[list[int]], vocabulary: int = 5):
    """Scores and labels; `trained` is 1 where a token is trained."""
    logits = [[[rng.uniform(-3, 3) for _ in range(vocabulary)] for _ in row] for row in trained]
    labels = [[rng.randrange(vocabulary) if x else IGNORE for x in row] for row in trained]
    return logits, labels


def compare(learner: Learner, logits, labels) -> None:
    got = learner.response_loss(torch.tensor(logits), torch.tensor(labels))
    close(got, torch.tensor(by_hand(logits, labels)))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, *batch(rng, [[0, 0, 1, 1, 1]]))


@points(2)
def test_one_row(learner, rng):
    """In one row, the trained tokens count and no other."""
    compare(learner, *batch(rng, [[0, 0, 1, 1, 1, 0]]))
    compare(learner, *batch(rng, [[0, 0, 1]]))


@points(2)
def test_shift(learner, rng):
    """The scores at a position are for the next token, and the first token has none."""
    compare(learner, *batch(rng, [[1, 1, 1]]))


@points(2)
def test_every_token_counts_the_same(learner, rng):
    """The mean is over all trained tokens of the batch, not over rows."""
    for _ in range(2):
        compare(learner, *batch(rng, [[0, 1, 0, 0, 0, 0], [0, 1, 1, 1, 1, 1]]))


@points(1)
def test_row_without_response(learner, rng):
    """A row in which nothing is trained changes nothing."""
    compare(learner, *batch(rng, [[0, 0, 0, 0], [0, 0, 1, 1]]))


@points(1, ordinary)
def test_nothing_trained(learner, rng):
    """If no token of the batch is trained, the loss is 0 and not NaN."""
    compare(learner, *batch(rng, [[0, 0, 0], [0, 0, 0]]))


@points(1)
def test_half_precision(learner, rng):
    """Scores in bfloat16 are taken to float32 before anything is computed."""
    logits, labels = batch(rng, [[0, 1, 1, 1, 1, 1, 1, 1]])
    half = torch.tensor(logits).bfloat16()
    close(
        learner.response_loss(half, torch.tensor(labels)),
        torch.tensor(by_hand(half.tolist(), labels)),
    )


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and scores and labels are left as they were."""
    logits, labels = (torch.tensor(x) for x in batch(rng, [[0, 1, 0], [0, 0, 1]]))
    close(
        learner.response_loss(logits, labels),
        torch.tensor(by_hand(logits.tolist(), labels.tolist())),
    )
    unchanged(learner, logits, labels)
