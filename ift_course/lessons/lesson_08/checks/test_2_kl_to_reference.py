import math
from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner

IGNORE = -100


def log_probs(row: list[float]) -> list[float]:
    top = max(row)
    total = top + math.log(sum(math.exp(x - top) for x in row))
    return [x - total for x in row]


def reference(policy, start, labels) -> float:
    each = []
    for ours, theirs, wanted in zip(policy, start, labels, strict=True):
        for p_row, q_row, label in zip(ours[:-1], theirs[:-1], wanted[1:], strict=True):
            if label != IGNORE:
                pairs = zip(log_probs(p_row), log_probs(q_row), strict=True)
                each.append(sum(math.exp(p) * (p - q) for p, q in pairs))
    return sum(each) / len(each)


def batch(rng: Random, counted: list[list[int]], vocabulary: int = 5):
    """Two lots of scores, and labels of random tokens where a 1 stands."""
    scores = [
        [[[rng.uniform(-3, 3) for _ in range(vocabulary)] for _ in row] for row in counted]
        for _ in range(2)
    ]
    labels = [[rng.randrange(vocabulary) if x else IGNORE for x in row] for row in counted]
    return *scores, labels


def compare(learner: Learner, policy, start, labels) -> None:
    got = learner.kl_to_reference(*(torch.tensor(x) for x in (policy, start, labels)))
    close(got, torch.tensor(reference(policy, start, labels)))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, *batch(rng, [[0, 0, 1, 1]]))


@points(2)
def test_response_tokens(learner, rng):
    """The mean over the response tokens; the scores at a place are for the label at the next."""
    compare(learner, *batch(rng, [[0, 0, 1, 1], [0, 1, 1, 0]]))
    compare(learner, *batch(rng, [[0, 0, 0, 1, 0]]))


@points(2, ordinary)
def test_direction(learner, rng):
    """It is KL(policy || reference): dear is what the policy says and the reference would not."""
    one, other = [[[3.0, 0.0, 0.0]] * 2], [[[1.0, 1.0, -4.0]] * 2]
    compare(learner, one, other, [[IGNORE, 0]])
    compare(learner, other, one, [[IGNORE, 0]])


@points(1, ordinary)
def test_itself(learner, rng):
    """A model is at no distance from itself, nor from scores that are all higher by the same."""
    policy, _, labels = batch(rng, [[0, 1, 1], [0, 0, 1]])
    compare(learner, policy, policy, labels)
    compare(learner, policy, [[[x + 7 for x in row] for row in rows] for rows in policy], labels)


@points(1)
def test_every_token_weighs_the_same(learner, rng):
    """A row with one response token weighs less than one with five."""
    compare(learner, *batch(rng, [[0, 1, 0, 0, 0, 0], [0, 1, 1, 1, 1, 1]]))


@points(1)
def test_label_itself(learner, rng):
    """The whole distribution counts, not the probability of the label."""
    policy, start, labels = batch(rng, [[0, 1, 1, 1]])
    compare(learner, policy, start, labels)
    compare(learner, policy, start, [[x if x == IGNORE else 0 for x in row] for row in labels])


@points(1)
def test_first_column(learner, rng):
    """A label in the first column has no scores; if no other counts, that is refused."""
    policy, start, _ = batch(rng, [[1, 0, 1]])
    compare(learner, policy, start, [[2, IGNORE, 3]])
    scores = torch.tensor(policy), torch.tensor(start)
    refuses(learner.kl_to_reference, *scores, torch.tensor([[1, IGNORE, IGNORE]]))
    refuses(learner.kl_to_reference, *scores, torch.tensor([[IGNORE] * 3]))


@points(1, ordinary)
def test_large_scores(learner, rng):
    """Scores of a thousand, and probabilities of nearly 0, are no trouble."""
    compare(learner, [[[900.0, -900.0], [0.0, 0.0]]], [[[8.0, 6.0], [0.0, 0.0]]], [[IGNORE, 0]])
    compare(learner, [[[60.0, 0.0], [0.0, 0.0]]], [[[0.0, 40.0], [0.0, 0.0]]], [[IGNORE, 1]])


@points(1)
def test_half_precision(learner, rng):
    """Scores in bfloat16 are taken to float32 before anything is computed."""
    for _ in range(3):
        policy, start, labels = batch(rng, [[0, 1, 1, 1, 1]], vocabulary=9)
        halves = [torch.tensor(x).bfloat16() for x in (policy, start)]
        got = learner.kl_to_reference(*halves, torch.tensor(labels))
        close(got, torch.tensor(reference(*(x.tolist() for x in halves), labels)))


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and scores and labels are left as they were."""
    policy, start, labels = batch(rng, [[0, 0, 1], [0, 1, 1]])
    given = [torch.tensor(x) for x in (policy, start, labels)]
    close(learner.kl_to_reference(*given), torch.tensor(reference(policy, start, labels)))
    unchanged(learner, *given)
