import torch
import torch.nn.functional as F

from ift_course.exercises.misconceptions import misconception


def dpo(pc, pr, rc, rr, beta, *, of=None, margins=None, half=False):
    if beta <= 0:
        raise ValueError
    if not half:
        pc, pr, rc, rr = pc.float(), pr.float(), rc.float(), rr.float()
    found = margins(pc, pr, rc, rr) if margins else beta * ((pc - rc) - (pr - rr))
    return (of or (lambda m: -F.logsigmoid(m).mean()))(found), found


@misconception(
    "The margins have the wrong sign: chosen and rejected are swapped, or policy and reference "
    "are; the model would learn to prefer what people disliked."
)
def swapped(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    return dpo(policy_rejected, policy_chosen, reference_rejected, reference_chosen, beta)


@misconception(
    "The reference is not used; the implicit reward is the log-probability minus the reference's."
)
def no_reference(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    return dpo(
        policy_chosen,
        policy_rejected,
        reference_chosen,
        reference_rejected,
        beta,
        margins=lambda pc, pr, rc, rr: beta * (pc - pr),
    )


@misconception("The reference's difference is added instead of subtracted.")
def reference_added(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    return dpo(
        policy_chosen,
        policy_rejected,
        reference_chosen,
        reference_rejected,
        beta,
        margins=lambda pc, pr, rc, rr: beta * ((pc - pr) + (rc - rr)),
    )


@misconception("Beta is not used.")
def beta_forgotten(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    return dpo(
        policy_chosen,
        policy_rejected,
        reference_chosen,
        reference_rejected,
        beta,
        margins=lambda pc, pr, rc, rr: (pc - rc) - (pr - rr),
    )


@misconception("The margins are divided by beta; multiply.")
def divided_by_beta(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    return dpo(
        policy_chosen,
        policy_rejected,
        reference_chosen,
        reference_rejected,
        beta,
        margins=lambda pc, pr, rc, rr: ((pc - rc) - (pr - rr)) / beta,
    )


@misconception("Beta multiplies the loss; it belongs inside the sigmoid, at the margin.")
def beta_outside(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    _, margins = dpo(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta)
    return beta * -F.logsigmoid(margins / beta).mean(), margins


@misconception("The margins come back without beta; an implicit reward has it.")
def margins_without_beta(
    policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta
):
    loss, margins = dpo(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta)
    return loss, margins / beta


@misconception(
    "These are probabilities: the log-probabilities went through exp before subtracting."
)
def differences_of_probabilities(
    policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta
):
    return dpo(
        policy_chosen,
        policy_rejected,
        reference_chosen,
        reference_rejected,
        beta,
        margins=lambda pc, pr, rc, rr: beta * ((pc.exp() - rc.exp()) - (pr.exp() - rr.exp())),
    )


@misconception("This is the sum over pairs; the loss is the mean.")
def sum_over_pairs(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    return dpo(
        policy_chosen,
        policy_rejected,
        reference_chosen,
        reference_rejected,
        beta,
        of=lambda m: -F.logsigmoid(m).sum(),
    )


@misconception(
    "The mean margin goes through the sigmoid; each pair has its own loss, and the mean comes last."
)
def mean_inside(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    return dpo(
        policy_chosen,
        policy_rejected,
        reference_chosen,
        reference_rejected,
        beta,
        of=lambda m: -F.logsigmoid(m.mean()),
    )


@misconception(
    "The sigmoid becomes 0 and its logarithm infinite when a pair is very wrong; use "
    "`F.logsigmoid`."
)
def log_of_sigmoid(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    return dpo(
        policy_chosen,
        policy_rejected,
        reference_chosen,
        reference_rejected,
        beta,
        of=lambda m: -torch.log(torch.sigmoid(m)).mean(),
    )


@misconception("A beta of 0 teaches nothing and a negative one the opposite; raise a ValueError.")
def nothing_refused(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    margins = beta * (
        (policy_chosen.float() - reference_chosen.float())
        - (policy_rejected.float() - reference_rejected.float())
    )
    return -F.logsigmoid(margins).mean(), margins


@misconception("Log-probabilities are subtracted in their own dtype; take them to float32 first.")
def computed_in_half_precision(
    policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta
):
    return dpo(
        policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta, half=True
    )
