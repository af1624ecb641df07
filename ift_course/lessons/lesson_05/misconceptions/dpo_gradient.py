import torch

from ift_course.exercises.misconceptions import variants


def gradient(
    pc, pr, rc, rr, beta, *, weight=lambda m: torch.sigmoid(-m), factor=lambda pairs, beta: 1,
    signs=(-1, 1), reference=True, half=False,
):  # fmt: skip
    if not half:
        pc, pr, rc, rr = pc.float(), pr.float(), rc.float(), rr.float()
    margins = beta * ((pc - rc * reference) - (pr - rr * reference))
    push = factor(len(pc), beta) * beta * weight(margins) / len(pc)
    return signs[0] * push, signs[1] * push


wrong = variants(gradient)

signs_turned_around = wrong(
    "The signs are reversed: these are the directions of descent, and the derivatives point the "
    "opposite way.",
    signs=(1, -1),
)
same_sign_for_both = wrong(
    "Both derivatives have the same sign; the rejected response is pushed the other way.",
    signs=(-1, -1),
)
right_pairs_pushed = wrong(
    "The weight is σ(margin), so correct pairs are pushed most; it should be σ(−margin).",
    weight=torch.sigmoid,
)
beta_forgotten = wrong(
    "The inner derivative is missing: the margin grows by beta per unit.",
    factor=lambda pairs, beta: 1 / beta,
)
not_divided_by_pairs = wrong(
    "The loss is a mean, so each pair's derivative has to be divided by the number of pairs.",
    factor=lambda pairs, beta: pairs,
)
every_pair_alike = wrong(
    "Every pair is pushed equally; the weight σ(−margin) is missing.", weight=torch.ones_like
)
derivative_of_the_sigmoid = wrong(
    "This is the derivative of the sigmoid, σ(m)·σ(−m); that of −log σ(m) is −σ(−m).",
    weight=lambda m: torch.sigmoid(m) * torch.sigmoid(-m),
)
no_reference = wrong(
    "The reference is not used; the margin measures the change relative to it.", reference=False
)
overflowing_exponential = wrong(
    "The exponential overflows for very correct pairs; `torch.sigmoid` does not.",
    weight=lambda m: torch.exp(-m) / (1 + torch.exp(-m)),
)
wrong_order_and_signs = wrong(
    "The derivatives are in the wrong order; the chosen one comes first, then the rejected one.",
    signs=(1, 1),
)
computed_in_half_precision = wrong(
    "Log-probabilities are subtracted in their own dtype; convert them to float32 first.", half=True
)
