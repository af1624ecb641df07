import torch
import torch.nn.functional as F

from ift_course.exercises.misconceptions import misconception, variants


def distance(policy, reference, labels, *, of=None, over=None, shift=True, counts=None):
    """of: of the log-probabilities (tokens, vocabulary); over: the mean of (tokens,)."""
    if shift:
        policy, reference, labels = policy[:, :-1], reference[:, :-1], labels[:, 1:]
    there = (labels != -100) if counts is None else counts(labels)
    if not there.any():
        raise ValueError
    log_p = F.log_softmax(policy.float(), dim=-1)[there]
    log_q = F.log_softmax(reference.detach().float(), dim=-1)[there]
    each = (of or (lambda p, q: (p.exp() * (p - q)).sum(-1)))(log_p, log_q)
    return (over or (lambda values, there: values.mean()))(each, there)


wrong = variants(distance)

the_other_direction = wrong(
    "This is KL(reference || policy), because it is weighted by the reference's probabilities; "
    "weight by the policy's.",
    of=lambda p, q: (q.exp() * (q - p)).sum(-1),
)
kl_div_as_it_is = wrong(
    "`F.kl_div(a, b)` is KL(b || a) and here averages over the vocabulary; the policy comes "
    "second, and the sum is over all tokens.",
    of=lambda p, q: F.kl_div(p, q, log_target=True, reduction="none").mean(-1),
)
not_shifted = wrong(
    "The scores are not shifted; the scores at a position predict the next label.", shift=False
)


@misconception(
    "The shift goes the wrong way: the scores should lose their last position and the labels "
    "their first."
)
def shifted_backwards(policy, reference, labels):
    return distance(policy[:, 1:], reference[:, 1:], labels[:, :-1], shift=False)


@misconception(
    "The prompt counts in your version; only response tokens should, where the label is not −100."
)
def prompt_counted(policy, reference, labels):
    if not (labels[:, 1:] != -100).any():
        raise ValueError
    return distance(
        policy, reference, labels, counts=lambda x: torch.ones_like(x, dtype=torch.bool)
    )


sum_over_tokens = wrong(
    "This is the sum over the tokens, so long responses are penalized more; take the mean.",
    over=lambda values, there: values.sum(),
)
divided_by_all_places = wrong(
    "You divide by all positions, including prompt and padding; divide by the number of response "
    "tokens.",
    over=lambda values, there: values.sum() / there.numel(),
)


@misconception(
    "Each row is averaged first, so tokens of a short response weigh more; all tokens should "
    "weigh the same."
)
def mean_of_row_means(policy, reference, labels):
    def over(values, there):
        spread = torch.zeros(there.shape).masked_scatter(there, values)
        rows = there.any(1)
        return (spread.sum(1)[rows] / there.sum(1)[rows]).mean()

    return distance(policy, reference, labels, over=over)


mean_over_the_vocabulary = wrong(
    "You average over the vocabulary; a KL divergence is the *sum* over all tokens.",
    of=lambda p, q: (p.exp() * (p - q)).mean(-1),
)


@misconception("The sign is wrong: a KL divergence is never below 0, and yours always is.")
def negative(policy, reference, labels):
    return -distance(policy, reference, labels)


@misconception(
    "You compare only the label's probabilities; a KL divergence compares all tokens, weighted by "
    "p."
)
def label_only(policy, reference, labels):
    policy, reference, targets = policy[:, :-1].float(), reference[:, :-1].float(), labels[:, 1:]
    there = targets != -100
    if not there.any():
        raise ValueError
    picked = targets[there][:, None]
    log_p = F.log_softmax(policy, -1)[there].gather(-1, picked)
    log_q = F.log_softmax(reference, -1)[there].gather(-1, picked)
    return (log_p - log_q).mean()


cross_entropy = wrong(
    "This is a cross-entropy, −Σ p · log q, which is not 0 for equal models; Σ p · log p is "
    "missing.",
    of=lambda p, q: -(p.exp() * q).sum(-1),
)


@misconception(
    "You compare scores, not probabilities; apply `log_softmax` over the vocabulary first."
)
def raw_scores(policy, reference, labels):
    there = labels[:, 1:] != -100
    if not there.any():
        raise ValueError
    p, q = (x[:, :-1].float()[there] for x in (policy, reference))
    return (p.softmax(-1) * (p - q)).sum(-1).mean()


@misconception(
    "You take the logarithm of probabilities that may be 0, and 0 · ∞ is NaN; use `log_softmax`."
)
def log_of_softmax(policy, reference, labels):
    there = labels[:, 1:] != -100
    if not there.any():
        raise ValueError
    p, q = (x[:, :-1].float()[there].softmax(-1) for x in (policy, reference))
    return (p * (p / q).log()).sum(-1).mean()


@misconception("A batch without a response token gives NaN, the mean of nothing; refuse it.")
def nothing_is_not_refused(policy, reference, labels):
    there = labels[:, 1:] != -100
    p, q = (F.log_softmax(x[:, :-1].float(), -1)[there] for x in (policy, reference))
    return (p.exp() * (p - q)).sum(-1).mean()
