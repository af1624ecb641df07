import torch
import torch.nn.functional as F

from ift_course.exercises.misconceptions import misconception


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


@misconception(
    "This is KL(reference || policy): the probabilities in front are the reference's; the policy's "
    "belong there."
)
def the_other_direction(policy, reference, labels):
    return distance(policy, reference, labels, of=lambda p, q: (q.exp() * (q - p)).sum(-1))


@misconception(
    "`F.kl_div(a, b)` is KL(b || a), with a mean over the vocabulary besides; the policy comes "
    "second, and the words are summed."
)
def kl_div_as_it_is(policy, reference, labels):
    return distance(
        policy,
        reference,
        labels,
        of=lambda p, q: F.kl_div(p, q, log_target=True, reduction="none").mean(-1),
    )


@misconception("The scores are not shifted; those at a place are for the label at the next.")
def not_shifted(policy, reference, labels):
    return distance(policy, reference, labels, shift=False)


@misconception(
    "The shift goes the wrong way: the scores lose their last place, the labels their first."
)
def shifted_backwards(policy, reference, labels):
    return distance(policy[:, 1:], reference[:, 1:], labels[:, :-1], shift=False)


@misconception("The prompt counts too; only response tokens do, where the label is not −100.")
def prompt_counted(policy, reference, labels):
    if not (labels[:, 1:] != -100).any():
        raise ValueError
    return distance(policy, reference, labels, counts=lambda x: torch.ones_like(x, dtype=bool))


@misconception(
    "This is the sum over the tokens, so long responses are charged more; take the mean."
)
def sum_over_tokens(policy, reference, labels):
    return distance(policy, reference, labels, over=lambda values, there: values.sum())


@misconception(
    "It is divided by all places, prompt and padding included; divide by the response tokens."
)
def divided_by_all_places(policy, reference, labels):
    return distance(
        policy, reference, labels, over=lambda values, there: values.sum() / there.numel()
    )


@misconception(
    "Each row is averaged first, so the tokens of a short response weigh more; every token weighs "
    "the same."
)
def mean_of_row_means(policy, reference, labels):
    def over(values, there):
        spread = torch.zeros(there.shape).masked_scatter(there, values)
        rows = there.any(1)
        return (spread.sum(1)[rows] / there.sum(1)[rows]).mean()

    return distance(policy, reference, labels, over=over)


@misconception("It is averaged over the vocabulary; a KL is the *sum* over all words.")
def mean_over_the_vocabulary(policy, reference, labels):
    return distance(policy, reference, labels, of=lambda p, q: (p.exp() * (p - q)).mean(-1))


@misconception("The sign is wrong: a distance cannot be below 0, and this one always is.")
def negative(policy, reference, labels):
    return -distance(policy, reference, labels)


@misconception(
    "Only the label's probabilities are compared; a KL compares all words, weighted by p."
)
def label_only(policy, reference, labels):
    policy, reference, wanted = policy[:, :-1].float(), reference[:, :-1].float(), labels[:, 1:]
    there = wanted != -100
    if not there.any():
        raise ValueError
    picked = wanted[there][:, None]
    log_p = F.log_softmax(policy, -1)[there].gather(-1, picked)
    log_q = F.log_softmax(reference, -1)[there].gather(-1, picked)
    return (log_p - log_q).mean()


@misconception(
    "This is a cross-entropy, −Σ p · log q, and not 0 for equal models; Σ p · log p is missing."
)
def cross_entropy(policy, reference, labels):
    return distance(policy, reference, labels, of=lambda p, q: -(p.exp() * q).sum(-1))


@misconception(
    "The scores are compared and not the probabilities; `log_softmax` over the vocabulary comes "
    "first."
)
def raw_scores(policy, reference, labels):
    there = labels[:, 1:] != -100
    if not there.any():
        raise ValueError
    p, q = (x[:, :-1].float()[there] for x in (policy, reference))
    return (p.softmax(-1) * (p - q)).sum(-1).mean()


@misconception(
    "The logarithm is taken of probabilities that may be 0, and 0 · ∞ is no number; use "
    "`log_softmax`."
)
def log_of_softmax(policy, reference, labels):
    there = labels[:, 1:] != -100
    if not there.any():
        raise ValueError
    p, q = (x[:, :-1].float()[there].softmax(-1) for x in (policy, reference))
    return (p * (p / q).log()).sum(-1).mean()


@misconception("A batch without a response token gives NaN, a mean of nothing; refuse it.")
def nothing_is_not_refused(policy, reference, labels):
    there = labels[:, 1:] != -100
    p, q = (F.log_softmax(x[:, :-1].float(), -1)[there] for x in (policy, reference))
    return (p.exp() * (p - q)).sum(-1).mean()
