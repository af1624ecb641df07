from itertools import pairwise
from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import Mismatch, difference, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner
from ift_course.exercises.values import render

# No quotient of two bfloat16 numbers is exactly between two of these.
LEVELS = [-1.0, -0.6137, -0.2541, 0.0, 0.1973, 0.5419, 1.0]


def reference(values: list[float], levels: list[float], block: int) -> tuple[list, list]:
    codes, scales = [], []
    for start in range(0, len(values), block):
        part = values[start : start + block]
        scale = max(abs(x) for x in part)
        scales.append(scale)
        for x in part:
            away = [abs((x / scale if scale else 0.0) - level) for level in levels]
            codes.append(away.index(min(away)))
    return codes, scales


def compare(learner: Learner, values: list[float], levels: list[float], block: int) -> None:
    codes, scales = reference(values, levels, block)
    got = learner.quantize(torch.tensor(values), torch.tensor(levels), block)
    expected = (torch.tensor(codes, dtype=torch.uint8), torch.tensor(scales))
    message = difference(got, expected, 1e-6)
    if message:
        raise Mismatch(
            f"{message} Item 0 holds the codes, item 1 the scales.", render(expected), render(got)
        )


def spread(rng: Random, count: int) -> list[float]:
    """Numbers that are not near the midpoint of two levels."""
    middles = [(a + b) / 2 for a, b in pairwise(LEVELS)]
    values: list[float] = []
    while len(values) < count:
        x = rng.uniform(-1, 1)
        if all(abs(x - m) > 0.01 for m in middles):
            values.append(x)
    return values


def blocks(rng: Random, count: int, size: int, last: int = 0) -> list[float]:
    """Blocks of different scale, each with its own largest value."""
    values: list[float] = []
    for i in range(count):
        scale = rng.choice((0.5, 2.0, 4.0)) * (i + 1)
        inside = spread(rng, (size if i < count - 1 or not last else last) - 1)
        values += [scale * x for x in [*inside, rng.choice((-1.0, 1.0))]]
    return values


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, blocks(rng, 1, 9), LEVELS, 9)


@points(2)
def test_one_block(learner, rng):
    """In one block, the scale is the largest absolute value, and each code the nearest level's."""
    compare(learner, blocks(rng, 1, 8), LEVELS, 8)
    compare(learner, [0.1, -2.0, 1.0, 0.4], LEVELS, 4)


@points(2)
def test_blocks(learner, rng):
    """Each block has its own scale."""
    compare(learner, [0.5, -0.1, 8.0, 5.0], [-1.0, 0.0, 1.0], 2)
    compare(learner, blocks(rng, 4, 6), LEVELS, 6)


@points(1)
def test_short_block(learner, rng):
    """The last block may be shorter, and a block may be longer than all values."""
    compare(learner, blocks(rng, 3, 5, last=2), LEVELS, 5)
    compare(learner, blocks(rng, 1, 3), LEVELS, 64)


@points(2, ordinary)
def test_zeros(learner, rng):
    """A block of zeros has the scale 0 and the code of level 0, without NaN."""
    compare(learner, [0.0, 0.0, 1.0, -0.5, 0.0, 0.0], LEVELS, 2)


@points(1, ordinary)
def test_ties(learner, rng):
    """Between two equally near levels the lower one is taken."""
    compare(learner, [1.0, 0.5, -0.5, 0.25, -0.25, 0.75], [-1.0, -0.5, 0.0, 0.5, 1.0], 6)


@points(1, ordinary)
def test_single_values(learner, rng):
    """In blocks of one, each value is its own scale; no values give no codes and no scales."""
    compare(learner, [3.0, -2.0, 0.0], LEVELS, 1)
    compare(learner, [], LEVELS, 4)


@points(1)
def test_half_precision(learner, rng):
    """Values in bfloat16 are converted to float32 before anything is computed."""
    values = torch.tensor([rng.uniform(-3, 3) for _ in range(4000)]).bfloat16()
    codes, scales = reference(values.tolist(), LEVELS, 20)
    got = learner.quantize(values, torch.tensor(LEVELS), 20)
    expected = (torch.tensor(codes, dtype=torch.uint8), torch.tensor(scales))
    if message := difference(got, expected, 1e-6):
        raise Mismatch(message, render(expected), render(got))


@points(1, ordinary)
def test_many_levels(learner, rng):
    """There may be 256 levels, and every code fits into uint8."""
    levels = [i / 128 for i in range(-128, 0)] + [i / 127 for i in range(128)]
    compare(learner, [1.0, -1.0, 0.5, 0.0], levels, 4)


@points(1, ordinary)
def test_refusal(learner, rng):
    """A block size below one is refused with a ValueError."""
    for block in (0, -1):
        refuses(learner.quantize, torch.ones(3), torch.tensor(LEVELS), block)


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and values and levels are left unchanged."""
    values, levels = torch.tensor([1.0, -4.0, 0.0]), torch.tensor(LEVELS)
    compare(learner, values.tolist(), LEVELS, 2)
    unchanged(learner, values, levels, 2)
