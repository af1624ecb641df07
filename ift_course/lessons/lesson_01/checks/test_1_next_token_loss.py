import math
from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner


def by_hand(logits: list[list[float]], tokens: list[int]) -> float:
    total = 0.0
    for row, upcoming in zip(logits[:-1], tokens[1:], strict=True):
        top = max(row)
        total += top + math.log(sum(math.exp(x - top) for x in row)) - row[upcoming]
    return total / (len(tokens) - 1)


def text(rng: Random, length: int, vocabulary: int = 6):
    logits = [[rng.uniform(-3, 3) for _ in range(vocabulary)] for _ in range(length)]
    return logits, [rng.randrange(vocabulary) for _ in range(length)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    logits, tokens = text(rng, 4)
    got = learner.next_token_loss(torch.tensor(logits), torch.tensor(tokens))
    close(got, torch.tensor(by_hand(logits, tokens)))


@points(2)
def test_each_row_is_compared_with_the_next_token(learner, rng):
    """Each row of scores is compared with the token that comes next."""
    for length in (2, 5):
        logits, tokens = text(rng, length)
        got = learner.next_token_loss(torch.tensor(logits), torch.tensor(tokens))
        close(got, torch.tensor(by_hand(logits, tokens)))


@points(1)
def test_last_row_does_not_count(learner, rng):
    """The last row predicts nothing, so it does not change the loss."""
    logits, tokens = text(rng, 4)
    expected = by_hand(logits, tokens)
    logits[-1] = [50.0, *logits[-1][1:]]
    close(
        learner.next_token_loss(torch.tensor(logits), torch.tensor(tokens)), torch.tensor(expected)
    )


@points(1, ordinary)
def test_large_scores(learner, rng):
    """Scores of a thousand are no trouble."""
    logits = torch.tensor([[1000.0, 998.0], [-1000.0, -1003.0], [0.0, 0.0]])
    tokens = torch.tensor([0, 1, 0])
    close(
        learner.next_token_loss(logits, tokens),
        torch.tensor(by_hand(logits.tolist(), tokens.tolist())),
    )


@points(1)
def test_half_precision(learner, rng):
    """Scores in bfloat16 are taken to float32 before anything is computed."""
    logits, tokens = text(rng, 9)
    half = torch.tensor(logits).bfloat16()
    close(
        learner.next_token_loss(half, torch.tensor(tokens)),
        torch.tensor(by_hand(half.tolist(), tokens)),
    )


@points(1, ordinary)
def test_too_short(learner, rng):
    """A text of one token, or of none, is refused with a ValueError."""
    for length in (1, 0):
        refuses(learner.next_token_loss, torch.zeros(length, 4), torch.zeros(length).long())


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and scores and tokens are left as they were."""
    logits, tokens = (torch.tensor(x) for x in text(rng, 4))
    close(
        learner.next_token_loss(logits, tokens),
        torch.tensor(by_hand(logits.tolist(), tokens.tolist())),
    )
    unchanged(learner, logits, tokens)
