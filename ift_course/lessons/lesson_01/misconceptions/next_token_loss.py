import math

import torch.nn.functional as F

from ift_course.exercises.misconceptions import misconception, variants


def loss(
    logits, tokens, *, scores=lambda x: x[:-1].float(), targets=lambda x: x[1:],
    reduction="mean", refuse=True,
):  # fmt: skip
    if refuse and len(tokens) < 2:
        raise ValueError
    return F.cross_entropy(scores(logits), targets(tokens), reduction=reduction)


wrong = variants(loss)

not_shifted = wrong(
    "Row i is compared with token i, which the model has already seen; row i predicts token i + 1.",
    scores=lambda x: x.float(),
    targets=lambda x: x,
)
shifted_backwards = wrong(
    "The shift goes the wrong way: each row is compared with the token before it, not after it.",
    scores=lambda x: x[1:].float(),
    targets=lambda x: x[:-1],
)
sum_instead_of_mean = wrong(
    "This is the sum of the losses, which gives long texts more weight; take the mean.",
    reduction="sum",
)


@misconception("A text of n tokens has only n − 1 predictions, but you divide by n.")
def divided_by_the_length(logits, tokens):
    return loss(logits, tokens, reduction="sum") / len(tokens)


@misconception(
    "This loss is in bits, because the logarithm has base 2; nats use the natural logarithm."
)
def bits(logits, tokens):
    return loss(logits, tokens) / math.log(2)


@misconception(
    "The softmax overflows, because exp(1000) is infinite: use log_softmax or cross_entropy, "
    "which subtract the largest score first."
)
def overflowing_softmax(logits, tokens):
    if len(tokens) < 2:
        raise ValueError
    exp = logits[:-1].float().exp()
    p = exp / exp.sum(dim=-1, keepdim=True)
    return -p[range(len(tokens) - 1), tokens[1:]].log().mean()


short_text_accepted = wrong(
    "A text of one token has no prediction, and the mean of nothing is NaN; raise a ValueError.",
    refuse=False,
)
computed_in_half_precision = wrong(
    "The loss is computed in the dtype of the scores; bfloat16 has about three digits, so convert "
    "the scores with `.float()` first.",
    scores=lambda x: x[:-1],
)
