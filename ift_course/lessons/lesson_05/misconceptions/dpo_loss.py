import torch
import torch.nn.functional as F

from ift_course.exercises.misconceptions import misconception, variants


def dpo(pc, pr, rc, rr, beta, *, of=None, margins=None, half=False):
    if beta <= 0:
        raise ValueError
    if not half:
        pc, pr, rc, rr = pc.float(), pr.float(), rc.float(), rr.float()
    implicit = margins(pc, pr, rc, rr, beta) if margins else beta * ((pc - rc) - (pr - rr))
    return (of or (lambda m: -F.logsigmoid(m).mean()))(implicit), implicit


@misconception(
    "The margins have the wrong sign, because chosen and rejected, or policy and reference, are "
    "swapped; the model would learn to prefer what people disliked."
)
def swapped(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    return dpo(policy_rejected, policy_chosen, reference_rejected, reference_chosen, beta)


wrong = variants(dpo)

no_reference = wrong(
    "The reference is not used; the implicit reward is the log-probability minus the reference's.",
    margins=lambda pc, pr, rc, rr, beta: beta * (pc - pr),
)
reference_added = wrong(
    "The reference's difference is added instead of subtracted.",
    margins=lambda pc, pr, rc, rr, beta: beta * ((pc - pr) + (rc - rr)),
)
beta_forgotten = wrong(
    "Beta is not used.", margins=lambda pc, pr, rc, rr, beta: (pc - rc) - (pr - rr)
)
divided_by_beta = wrong(
    "The margins are divided by beta; multiply them by it.",
    margins=lambda pc, pr, rc, rr, beta: ((pc - rc) - (pr - rr)) / beta,
)


@misconception(
    "Beta multiplies the loss; it belongs inside the sigmoid, where it multiplies the margin."
)
def beta_outside(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    _, margins = dpo(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta)
    return beta * -F.logsigmoid(margins / beta).mean(), margins


@misconception("The margins are returned without beta, but an implicit reward includes it.")
def margins_without_beta(
    policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta
):
    loss, margins = dpo(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta)
    return loss, margins / beta


differences_of_probabilities = wrong(
    "These are probabilities, because the log-probabilities were exponentiated before subtracting.",
    margins=lambda pc, pr, rc, rr, beta: beta * ((pc.exp() - rc.exp()) - (pr.exp() - rr.exp())),
)
sum_over_pairs = wrong(
    "This is the sum over pairs; the loss is the mean.", of=lambda m: -F.logsigmoid(m).sum()
)
mean_inside = wrong(
    "The sigmoid is applied to the mean margin; each pair has its own loss, and the mean comes "
    "last.",
    of=lambda m: -F.logsigmoid(m.mean()),
)
log_of_sigmoid = wrong(
    "The sigmoid becomes 0 and its logarithm infinite when a pair is very wrong; use "
    "`F.logsigmoid`.",
    of=lambda m: -torch.log(torch.sigmoid(m)).mean(),
)


@misconception(
    "A beta of 0 teaches nothing and a negative one teaches the opposite; raise a ValueError."
)
def nothing_refused(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    margins = beta * (
        (policy_chosen.float() - reference_chosen.float())
        - (policy_rejected.float() - reference_rejected.float())
    )
    return -F.logsigmoid(margins).mean(), margins


computed_in_half_precision = wrong(
    "Log-probabilities are subtracted in their own dtype; convert them to float32 first.", half=True
)
