import torch

from ift_course.exercises.misconceptions import misconception, variants


def picked(scores, targets, *, log=None):
    log_p = (log or (lambda s: s.float().log_softmax(-1)))(scores)
    counts = targets != -100
    values = log_p.gather(-1, torch.where(counts, targets, 0)[..., None])[..., 0]
    return torch.where(counts, values, 0.0 * values.nan_to_num()), counts


def log_probs(logits, labels, *, log=None, dim=1):
    values, _ = picked(logits[:, :-1], labels[:, 1:], log=log)
    return values.sum(dim)


@misconception("The scores are not shifted; the scores at a position predict the next token.")
def not_shifted(logits, labels):
    return picked(logits, labels)[0].sum(1)


@misconception(
    "The shift goes the wrong way: the scores should lose their last position and the labels "
    "their first."
)
def shifted_backwards(logits, labels):
    return picked(logits[:, 1:], labels[:, :-1])[0].sum(1)


@misconception(
    "This is the mean over the tokens; the log-probability of a response is the sum, and DPO "
    "needs the sum."
)
def mean_over_tokens(logits, labels):
    counts = labels[:, 1:] != -100
    return log_probs(logits, labels) / counts.sum(1).clamp(min=1)


@misconception("This is the loss, the negative log-probability; a log-probability is below 0.")
def negative(logits, labels):
    return -log_probs(logits, labels)


wrong = variants(log_probs)

one_number_for_the_batch = wrong(
    "All rows are summed into one number; each row has its own.", dim=None
)


@misconception("Positions with −100 count as token 0; set them to 0 after looking up the scores.")
def ignored_positions_count(logits, labels):
    targets = labels[:, 1:].clamp(min=0)
    log_p = logits[:, :-1].float().log_softmax(-1)
    return log_p.gather(-1, targets[..., None])[..., 0].sum(1)


raw_scores = wrong(
    "These are scores, not log-probabilities; apply `log_softmax` over the vocabulary first.",
    log=lambda s: s.float(),
)
sum_of_probabilities = wrong(
    "These are probabilities; sum their logarithms.", log=lambda s: s.float().softmax(-1)
)
log_of_naive_softmax = wrong(
    "The logarithm of the softmax is infinite where a probability rounds to 0; `log_softmax` is "
    "stable.",
    log=lambda s: (s.float().exp() / s.float().exp().sum(-1, keepdim=True)).log(),
)


@misconception(
    "Ignored positions are multiplied by 0, and 0 times infinity is NaN; use `torch.where`."
)
def multiplied_by_the_mask(logits, labels):
    targets = labels[:, 1:]
    counts = targets != -100
    log_p = logits[:, :-1].float().log_softmax(-1)
    return (log_p.gather(-1, targets.clamp(min=0)[..., None])[..., 0] * counts).sum(1)


computed_in_half_precision = wrong(
    "You compute in the dtype of the scores; convert them to float32 first.",
    log=lambda s: s.log_softmax(-1),
)
wrong_dimension = wrong(
    "The softmax is taken over the positions; take it over the vocabulary, the last dimension.",
    log=lambda s: s.float().log_softmax(1),
)
