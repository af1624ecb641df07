from random import Random

import torch
from torch import Tensor

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone, log_softmax, uniform


def by_hand(logits: list[list[float]], tokens: list[int]) -> float:
    pairs = zip(logits[:-1], tokens[1:], strict=True)
    return -sum(log_softmax(row)[token] for row, token in pairs) / (len(tokens) - 1)


def text(rng: Random, length: int, vocabulary: int = 6) -> tuple[Tensor, Tensor]:
    """Logits (length, vocabulary) and tokens (length,)."""
    logits = uniform(rng, length * vocabulary).view(length, vocabulary)
    return logits, torch.tensor([rng.randrange(vocabulary) for _ in range(length)])


def compare(learner: Learner, logits: Tensor, tokens: Tensor) -> None:
    expected = by_hand(logits.tolist(), tokens.tolist())
    close(learner.next_token_loss(logits, tokens), torch.tensor(expected))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, *text(rng, 4))


@points(2)
def test_each_row_is_compared_with_the_next_token(learner, rng):
    """Each row of scores is compared with the token that comes next."""
    for length in (2, 5):
        compare(learner, *text(rng, length))


@points(1)
def test_last_row_does_not_count(learner, rng):
    """The last row predicts nothing, so it does not change the loss."""
    logits, tokens = text(rng, 4)
    logits[-1, 0] = 50.0
    compare(learner, logits, tokens)


@points(1, ordinary)
def test_large_scores(learner, rng):
    """Scores in the thousands cause no overflow."""
    logits = torch.tensor([[1000.0, 998.0], [-1000.0, -1003.0], [0.0, 0.0]])
    compare(learner, logits, torch.tensor([0, 1, 0]))


@points(1)
def test_half_precision(learner, rng):
    """Scores in bfloat16 are converted to float32 before anything is computed."""
    logits, tokens = text(rng, 9)
    compare(learner, logits.bfloat16(), tokens)


@points(1, ordinary)
def test_too_short(learner, rng):
    """A text of one token, or of none, is refused with a ValueError."""
    for length in (1, 0):
        refuses(learner.next_token_loss, torch.zeros(length, 4), torch.zeros(length).long())


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and scores and tokens are left unchanged."""
    leaves_inputs_alone(learner, compare, *text(rng, 4))
