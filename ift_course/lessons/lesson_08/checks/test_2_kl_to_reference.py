import math
from random import Random
from typing import Any

import torch
from torch import Tensor

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import (
    IGNORE,
    leaves_inputs_alone,
    log_softmax,
    random_labels,
    random_logits,
)


def reference(policy, start, labels) -> float:
    each = []
    for ours, theirs, targets in zip(policy, start, labels, strict=True):
        for p_row, q_row, label in zip(ours[:-1], theirs[:-1], targets[1:], strict=True):
            if label != IGNORE:
                pairs = zip(log_softmax(p_row), log_softmax(q_row), strict=True)
                each.append(sum(math.exp(p) * (p - q) for p, q in pairs))
    return sum(each) / len(each)


def batch(rng: Random, labeled: list[list[int]], vocabulary: int = 5) -> list[Tensor]:
    """Logits of policy and reference, and labels."""
    shape = len(labeled), len(labeled[0]), vocabulary
    policy, start = random_logits(rng, *shape), random_logits(rng, *shape)
    return [policy, start, random_labels(rng, labeled, vocabulary)]


def compare(learner: Learner, *args: Any) -> None:
    """Compare on policy, reference, and labels, as lists or tensors."""
    tensors = [torch.as_tensor(x) for x in args]
    expected = reference(*(x.tolist() for x in tensors))
    close(learner.kl_to_reference(*tensors), torch.tensor(expected))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, *batch(rng, [[0, 0, 1, 1]]))


@points(2)
def test_response_tokens(learner, rng):
    """It is the mean over response tokens; the scores at a position predict the next label."""
    compare(learner, *batch(rng, [[0, 0, 1, 1], [0, 1, 1, 0]]))
    compare(learner, *batch(rng, [[0, 0, 0, 1, 0]]))


@points(2, ordinary)
def test_direction(learner, rng):
    """It is KL(policy || reference): what only the policy would say costs most."""
    one, other = [[[3.0, 0.0, 0.0]] * 2], [[[1.0, 1.0, -4.0]] * 2]
    compare(learner, one, other, [[IGNORE, 0]])
    compare(learner, other, one, [[IGNORE, 0]])


@points(1, ordinary)
def test_itself(learner, rng):
    """A model's divergence from itself is 0, also if all scores are shifted by a constant."""
    policy, _, labels = batch(rng, [[0, 1, 1], [0, 0, 1]])
    compare(learner, policy, policy, labels)
    compare(learner, policy, policy + 7, labels)


@points(1)
def test_every_token_weighs_the_same(learner, rng):
    """A row with one response token weighs less than one with five."""
    compare(learner, *batch(rng, [[0, 1, 0, 0, 0, 0], [0, 1, 1, 1, 1, 1]]))


@points(1)
def test_label_itself(learner, rng):
    """The whole distribution counts, not the probability of the label."""
    policy, start, labels = batch(rng, [[0, 1, 1, 1]])
    compare(learner, policy, start, labels)
    compare(learner, policy, start, labels.clamp(max=0))


@points(1)
def test_first_column(learner, rng):
    """A label in the first column has no scores; if no other label counts, it is refused."""
    policy, start, _ = batch(rng, [[1, 0, 1]])
    compare(learner, policy, start, [[2, IGNORE, 3]])
    for labels in ([[1, IGNORE, IGNORE]], [[IGNORE] * 3]):
        refuses(learner.kl_to_reference, policy, start, torch.tensor(labels))


@points(1, ordinary)
def test_large_scores(learner, rng):
    """Scores in the hundreds, and probabilities of nearly 0, cause no overflow."""
    compare(learner, [[[900.0, -900.0], [0.0, 0.0]]], [[[8.0, 6.0], [0.0, 0.0]]], [[IGNORE, 0]])
    compare(learner, [[[60.0, 0.0], [0.0, 0.0]]], [[[0.0, 40.0], [0.0, 0.0]]], [[IGNORE, 1]])


@points(1)
def test_half_precision(learner, rng):
    """Scores in bfloat16 are converted to float32 before anything is computed."""
    for _ in range(3):
        policy, start, labels = batch(rng, [[0, 1, 1, 1, 1]], vocabulary=9)
        compare(learner, policy.bfloat16(), start.bfloat16(), labels)


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and scores and labels are left unchanged."""
    leaves_inputs_alone(learner, compare, *batch(rng, [[0, 0, 1], [0, 1, 1]]))
