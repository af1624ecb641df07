import torch

from ift_course.exercises.misconceptions import misconception


def push(pc, pr, rc, rr, beta, *, weight=None, half=False):
    if not half:
        pc, pr, rc, rr = pc.float(), pr.float(), rc.float(), rr.float()
    margins = beta * ((pc - rc) - (pr - rr))
    return beta * (weight or (lambda m: torch.sigmoid(-m)))(margins) / len(pc)


@misconception(
    "The signs are turned around: these are the directions to go, the derivatives of a loss point "
    "away from there."
)
def signs_turned_around(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    found = push(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta)
    return found, -found


@misconception(
    "Both derivatives have the same sign; the rejected response is pushed the other way."
)
def same_sign_for_both(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    found = push(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta)
    return -found, -found


@misconception(
    "The weight is σ(margin), so pairs that are right are pushed most; it should be σ(−margin)."
)
def right_pairs_pushed(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    found = push(
        policy_chosen,
        policy_rejected,
        reference_chosen,
        reference_rejected,
        beta,
        weight=torch.sigmoid,
    )
    return -found, found


@misconception("The inner derivative is missing: the margin grows by beta for each unit.")
def beta_forgotten(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    found = push(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta) / beta
    return -found, found


@misconception("The loss is a mean, so each pair's derivative is divided by the number of pairs.")
def not_divided_by_pairs(
    policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta
):
    found = len(policy_chosen) * push(
        policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta
    )
    return -found, found


@misconception("Every pair is pushed alike; the weight σ(−margin) is missing.")
def every_pair_alike(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    found = push(
        policy_chosen,
        policy_rejected,
        reference_chosen,
        reference_rejected,
        beta,
        weight=torch.ones_like,
    )
    return -found, found


@misconception("This is the derivative of the sigmoid, σ(m)·σ(−m); that of −log σ(m) is −σ(−m).")
def derivative_of_the_sigmoid(
    policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta
):
    found = push(
        policy_chosen,
        policy_rejected,
        reference_chosen,
        reference_rejected,
        beta,
        weight=lambda m: torch.sigmoid(m) * torch.sigmoid(-m),
    )
    return -found, found


@misconception("The reference is not used; the margin is about the change against it.")
def no_reference(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    zero = torch.zeros_like(policy_chosen)
    found = push(policy_chosen, policy_rejected, zero, zero, beta)
    return -found, found


@misconception("The exponential overflows for very right pairs; `torch.sigmoid` does not.")
def overflowing_exponential(
    policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta
):
    found = push(
        policy_chosen,
        policy_rejected,
        reference_chosen,
        reference_rejected,
        beta,
        weight=lambda m: torch.exp(-m) / (1 + torch.exp(-m)),
    )
    return -found, found


@misconception("The derivatives come in the wrong order: first the chosen, then the rejected.")
def wrong_order_and_signs(
    policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta
):
    found = push(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta)
    return found, found


@misconception("Log-probabilities are subtracted in their own dtype; take them to float32 first.")
def computed_in_half_precision(
    policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta
):
    found = push(
        policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta, half=True
    )
    return -found, found
