import torch
import torch.nn.functional as F

from ift_course.exercises.misconceptions import misconception


def summed(scores, targets):
    return F.cross_entropy(
        scores.flatten(0, 1).float(), targets.flatten(), ignore_index=-100, reduction="sum"
    )


@misconception(
    "The scores are compared with the token they have just seen; the scores at a position predict "
    "the next token."
)
def not_shifted(logits, labels):
    return summed(logits, labels) / (labels != -100).sum().clamp(min=1)


@misconception(
    "The shift goes the wrong way: the scores should lose their last position and the labels "
    "their first."
)
def shifted_backwards(logits, labels):
    targets = labels[:, :-1]
    return summed(logits[:, 1:], targets) / (targets != -100).sum().clamp(min=1)


@misconception(
    "Each row is averaged by itself, so a token in a short answer counts more; average over all "
    "trained tokens of the batch."
)
def mean_of_row_means(logits, labels):
    rows = [
        summed(a[None, :-1], b[None, 1:]) / (b[1:] != -100).sum()
        for a, b in zip(logits, labels, strict=True)
        if (b[1:] != -100).any()
    ]
    return torch.stack(rows).mean() if rows else logits.float().sum() * 0


@misconception(
    "You divide by all positions, padding and prompt included; divide by the number of trained "
    "tokens."
)
def mean_over_all_positions(logits, labels):
    return summed(logits[:, :-1], labels[:, 1:]) / labels[:, 1:].numel()


@misconception(
    "The trained tokens are counted before the shift; a label in the first column has no "
    "prediction and must not count."
)
def counted_before_the_shift(logits, labels):
    return summed(logits[:, :-1], labels[:, 1:]) / (labels != -100).sum().clamp(min=1)


@misconception(
    "A batch without a trained token gives NaN, and one NaN ruins all weights; its loss should be "
    "0."
)
def nan_when_nothing_is_trained(logits, labels):
    return summed(logits[:, :-1], labels[:, 1:]) / (labels[:, 1:] != -100).sum()


@misconception("This is the sum of the losses; divide it by the number of trained tokens.")
def sum_instead_of_mean(logits, labels):
    return summed(logits[:, :-1], labels[:, 1:])


@misconception(
    "The loss is computed in the dtype of the scores; convert them with `.float()` first."
)
def computed_in_half_precision(logits, labels):
    targets = labels[:, 1:].flatten()
    if not (targets != -100).any():
        return logits.float().sum() * 0
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), targets, ignore_index=-100)


@misconception("Positions with −100 are looked up as if −100 were a token; leave them out.")
def ignored_positions_trained(logits, labels):
    targets = labels[:, 1:].clamp(min=0)
    return F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), targets.flatten())
