import torch

from ift_course.exercises.misconceptions import misconception


def picked(scores, wanted, *, log=None):
    log_p = (log or (lambda s: s.float().log_softmax(-1)))(scores)
    counts = wanted != -100
    found = log_p.gather(-1, torch.where(counts, wanted, 0)[..., None])[..., 0]
    return torch.where(counts, found, 0.0 * found.nan_to_num()), counts


def shifted(logits, labels, **other):
    return picked(logits[:, :-1], labels[:, 1:], **other)


@misconception("The scores are not shifted; those at a position are for the next token.")
def not_shifted(logits, labels):
    return picked(logits, labels)[0].sum(1)


@misconception("The shift goes the wrong way: scores lose their last position, labels their first.")
def shifted_backwards(logits, labels):
    return picked(logits[:, 1:], labels[:, :-1])[0].sum(1)


@misconception(
    "This is the mean over the tokens; the log-probability of a response is the sum, and DPO needs "
    "that."
)
def mean_over_tokens(logits, labels):
    found, counts = shifted(logits, labels)
    return found.sum(1) / counts.sum(1).clamp(min=1)


@misconception("This is the loss, the log-probability with a minus; a log-probability is below 0.")
def negative(logits, labels):
    return -shifted(logits, labels)[0].sum(1)


@misconception("All rows are summed into one number; each row has its own.")
def one_number_for_the_batch(logits, labels):
    return shifted(logits, labels)[0].sum()


@misconception("Positions with −100 count as token 0; strike them out after they were looked up.")
def ignored_positions_count(logits, labels):
    wanted = labels[:, 1:].clamp(min=0)
    log_p = logits[:, :-1].float().log_softmax(-1)
    return log_p.gather(-1, wanted[..., None])[..., 0].sum(1)


@misconception(
    "These are the scores and not log-probabilities; `log_softmax` over the vocabulary comes first."
)
def raw_scores(logits, labels):
    return shifted(logits, labels, log=lambda s: s.float())[0].sum(1)


@misconception("These are probabilities; their logarithms are summed.")
def sum_of_probabilities(logits, labels):
    return shifted(logits, labels, log=lambda s: s.float().softmax(-1))[0].sum(1)


@misconception(
    "The logarithm of the softmax is infinite where a probability is rounded to 0; "
    "`log_softmax` is not."
)
def log_of_naive_softmax(logits, labels):
    return shifted(
        logits,
        labels,
        log=lambda s: (s.float().exp() / s.float().exp().sum(-1, keepdim=True)).log(),
    )[0].sum(1)


@misconception(
    "What does not count is multiplied by 0, and 0 times infinite is NaN; use `torch.where`."
)
def multiplied_by_the_mask(logits, labels):
    wanted = labels[:, 1:]
    counts = wanted != -100
    log_p = logits[:, :-1].float().log_softmax(-1)
    return (log_p.gather(-1, wanted.clamp(min=0)[..., None])[..., 0] * counts).sum(1)


@misconception("It is computed in the dtype of the scores; take them to float32 first.")
def computed_in_half_precision(logits, labels):
    return shifted(logits, labels, log=lambda s: s.log_softmax(-1))[0].sum(1)


@misconception(
    "The softmax goes over the positions; it goes over the vocabulary, the last dimension."
)
def wrong_dimension(logits, labels):
    return shifted(logits, labels, log=lambda s: s.float().log_softmax(1))[0].sum(1)
