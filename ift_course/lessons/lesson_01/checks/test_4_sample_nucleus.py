import math
from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner


def reference(logits: list[float], top_p: float, temperature: float, u: float) -> int:
    weights = [math.exp(x / temperature) for x in logits]
    probabilities = [w / sum(weights) for w in weights]
    order = sorted(range(len(logits)), key=lambda i: (-logits[i], i))
    nucleus: list[int] = []
    for token in order:
        if sum(probabilities[i] for i in nucleus) >= top_p:
            break
        nucleus.append(token)
    mass = sum(probabilities[i] for i in nucleus)
    running = 0.0
    for token in nucleus:
        running += probabilities[token] / mass
        if running > u:
            return token
    return nucleus[-1]


def compare(
    learner: Learner, logits: list[float], top_p: float, temperature: float, u: float
) -> None:
    got = learner.sample_nucleus(torch.tensor(logits), top_p, temperature, u)
    equal(got, reference(logits, top_p, temperature, u))


def scores(rng: Random, size: int = 8) -> list[float]:
    return [rng.uniform(-2, 2) for _ in range(size)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    for _ in range(4):
        compare(learner, scores(rng, 12), 1.0, 1.0, rng.uniform(0.05, 0.95))


@points(1)
def test_everything_with_top_p_1(learner, rng):
    """With top_p = 1 and temperature 1 it is plain sampling from all tokens."""
    logits = scores(rng)
    for i in range(8):
        compare(learner, logits, 1.0, 1.0, (i + rng.uniform(0.2, 0.8)) / 8)


@points(2)
def test_only_the_nucleus(learner, rng):
    """Only the likeliest tokens are sampled, down to the one that reaches top_p."""
    logits = [math.log(p) for p in (0.2, 0.5, 0.3)]
    for u in (0.0, 0.3, 0.6, 0.7, 0.99):
        compare(learner, logits, 0.7, 1.0, u)
    for top_p in (0.35, 0.6, 0.9):
        logits = scores(rng)
        for i in range(5):
            compare(learner, logits, top_p, 1.0, (i + rng.uniform(0.2, 0.8)) / 5)


@points(1, ordinary)
def test_never_empty(learner, rng):
    """However small top_p is, the likeliest token stays."""
    for _ in range(3):
        compare(learner, scores(rng), 0.001, 1.0, rng.uniform(0.1, 0.9))


@points(1)
def test_temperature(learner, rng):
    """The temperature divides the scores before the softmax, and so changes the nucleus."""
    logits = scores(rng)
    for temperature in (0.3, 2.5):
        for i in range(5):
            compare(learner, logits, 0.8, temperature, (i + rng.uniform(0.2, 0.8)) / 5)


@points(1, ordinary)
def test_ties(learner, rng):
    """Among equally likely tokens the lower id comes first."""
    for u in (0.1, 0.4, 0.6, 0.9):
        compare(learner, [0.0] * 40, 0.31, 1.0, u)
        compare(learner, [0.0] * 4, 0.5, 1.0, u)  # two tokens reach 0.5 exactly


@points(1, ordinary)
def test_borders(learner, rng):
    """u = 0 gives the likeliest token, and a u on a boundary gives the token after it."""
    compare(learner, [0.0, 1.0, 0.5], 1.0, 1.0, 0.0)
    compare(learner, [0.0, 0.0], 1.0, 1.0, 0.5)
    compare(learner, [0.0, 0.0, -800.0, -800.0], 1.0, 1.0, 0.999999)


@points(1, ordinary)
def test_refusals(learner, rng):
    """A temperature of 0 or less, and a top_p outside (0, 1], are refused with a ValueError."""
    for top_p, temperature in ((0.5, 0.0), (0.5, -1.0), (0.0, 1.0), (-0.1, 1.0), (1.1, 1.0)):
        refuses(learner.sample_nucleus, torch.tensor([1.0, 2.0]), top_p, temperature, 0.5)


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and the scores are left unchanged."""
    logits = torch.tensor([0.0, 1.0, 2.0])
    equal(learner.sample_nucleus(logits, 0.9, 0.5, 0.2), 2)
    unchanged(learner, logits, 0.9, 0.5, 0.2)
