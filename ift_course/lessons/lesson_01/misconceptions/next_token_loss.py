import torch.nn.functional as F

from ift_course.exercises.misconceptions import misconception


def loss(scores, tokens):
    if len(tokens) < 2:
        raise ValueError
    return F.cross_entropy(scores.float(), tokens)


@misconception(
    "Row i is compared with token i, which the model has already seen; the scores at i are for "
    "token i + 1."
)
def not_shifted(logits, tokens):
    if len(tokens) < 2:
        raise ValueError
    return loss(logits, tokens)


@misconception(
    "The shift goes the wrong way: row i is compared with the token before it, instead of the one "
    "after it."
)
def shifted_backwards(logits, tokens):
    if len(tokens) < 2:
        raise ValueError
    return F.cross_entropy(logits[1:].float(), tokens[:-1])


@misconception("This is the sum of the losses; long texts then weigh more, so take the mean.")
def sum_instead_of_mean(logits, tokens):
    if len(tokens) < 2:
        raise ValueError
    return F.cross_entropy(logits[:-1].float(), tokens[1:], reduction="sum")


@misconception("A text of n tokens has only n − 1 predictions; you divide by n.")
def divided_by_the_length(logits, tokens):
    return sum_instead_of_mean(logits, tokens) / len(tokens)


@misconception("This loss is in bits, for the logarithm is of base 2; nats have the natural one.")
def bits(logits, tokens):
    return (
        F.cross_entropy(logits[:-1].float(), tokens[1:]) / 0.6931471805599453
        if len(tokens) > 1
        else refuse()
    )


def refuse():
    raise ValueError


@misconception(
    "The softmax overflows, because exp(1000) is infinite: use log_softmax or cross_entropy, which "
    "subtract the largest score first."
)
def overflowing_softmax(logits, tokens):
    if len(tokens) < 2:
        raise ValueError
    exp = logits[:-1].float().exp()
    p = exp / exp.sum(dim=-1, keepdim=True)
    return -p[range(len(tokens) - 1), tokens[1:]].log().mean()


@misconception(
    "A text of one token has no prediction, and the mean of nothing is NaN: refuse it instead of "
    "returning that."
)
def short_text_accepted(logits, tokens):
    return F.cross_entropy(logits[:-1].float(), tokens[1:])


@misconception(
    "The loss is computed in the dtype of the scores; bfloat16 has three digits, so convert the "
    "scores with `.float()` first."
)
def computed_in_half_precision(logits, tokens):
    if len(tokens) < 2:
        raise ValueError
    return F.cross_entropy(logits[:-1], tokens[1:])
