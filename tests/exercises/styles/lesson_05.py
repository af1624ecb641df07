# ruff: noqa: E501
"""Correct solutions in other styles: loops, other dtypes, warnings, prints."""

import math
import warnings

import numpy as np
import torch
import torch.nn.functional as F


def bradley_terry_loss__softplus(chosen, rejected, margin=0.0):
    if chosen.shape != rejected.shape or chosen.numel() == 0:
        raise ValueError
    return F.softplus(margin - (chosen.float() - rejected.float())).mean()


def bradley_terry_loss__cross_entropy(chosen, rejected, margin=0.0):
    print(margin)
    if len(chosen) == 0 or len(chosen) != len(rejected):
        raise ValueError("pairs")
    both = torch.stack([chosen.float() - margin, rejected.float()], dim=1)
    return F.cross_entropy(both, torch.zeros(len(both), dtype=torch.long))


def bradley_terry_loss__loop(chosen, rejected, margin=0.0):
    warnings.warn("loop", stacklevel=1)
    if not len(chosen) or len(chosen) - len(rejected):
        raise ValueError
    total = 0.0
    for a, b in zip(chosen.double(), rejected.double(), strict=True):
        total = total - F.logsigmoid(a - b - margin)
    return total / len(chosen)


def sequence_log_probs__cross_entropy(logits, labels):
    loss = F.cross_entropy(logits[:, :-1].float().transpose(1, 2), labels[:, 1:],
                           reduction="none", ignore_index=-100)  # fmt: skip
    return -loss.sum(-1)


def sequence_log_probs__loop(logits, labels):
    print(labels.shape)
    sums = []
    for row, targets in zip(logits.float(), labels, strict=True):
        total = row.new_zeros(())
        for i in range(1, len(targets)):
            if targets[i] >= 0:
                total = total + row[i - 1].log_softmax(0)[targets[i]]
        sums.append(total)
    return torch.stack(sums)


def sequence_log_probs__doubles(logits, labels):
    warnings.warn("double", stacklevel=1)
    targets = labels[:, 1:].clone()
    ignored = targets == -100
    targets[ignored] = 0
    scores = logits[:, :-1].double()
    log_p = scores - scores.logsumexp(-1, keepdim=True)
    values = log_p.gather(2, targets[:, :, None])[:, :, 0].masked_fill(ignored, 0.0)
    return values.sum(1).float()


def dpo_loss__ratios(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    if not beta > 0:
        raise ValueError
    policy = policy_chosen.float() - policy_rejected.float()
    reference = reference_chosen.float() - reference_rejected.float()
    logits = policy - reference
    return F.softplus(-beta * logits).mean(), beta * logits


def dpo_loss__rewards(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    print(beta)
    if beta <= 0.0:
        raise ValueError("beta")
    up = beta * (policy_chosen.double() - reference_chosen.double())
    down = beta * (policy_rejected.double() - reference_rejected.double())
    loss = -torch.nn.LogSigmoid()(up - down).mean()
    return loss.float(), (up - down).float()


def dpo_loss__list(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    warnings.warn("list", stacklevel=1)
    if beta <= 0:
        raise ValueError(beta)
    margins = torch.stack([
        beta * ((a.float() - c.float()) - (b.float() - d.float()))
        for a, b, c, d in zip(policy_chosen, policy_rejected, reference_chosen, reference_rejected, strict=True)
    ])  # fmt: skip
    return [F.binary_cross_entropy_with_logits(margins, torch.ones_like(margins)), margins]


def dpo_gradient__margins(
    policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta
):
    pc, pr, rc, rr = (
        x.to(torch.float32)
        for x in (policy_chosen, policy_rejected, reference_chosen, reference_rejected)
    )
    margins = beta * (pc - rc - pr + rr)
    chosen = -beta * (1 - margins.sigmoid()) / margins.numel()
    return chosen, -chosen


def dpo_gradient__numpy(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    from scipy.special import expit

    print(beta)
    pc, pr, rc, rr = (
        x.double().numpy()
        for x in (policy_chosen, policy_rejected, reference_chosen, reference_rejected)
    )
    push = beta * expit(-beta * (pc - rc - (pr - rr))) / len(pc)
    return (-push).astype(np.float32), push.astype(np.float32)


def dpo_gradient__loop(policy_chosen, policy_rejected, reference_chosen, reference_rejected, beta):
    warnings.warn("loop", stacklevel=1)
    n = len(policy_chosen)
    up, down = torch.zeros(n), torch.zeros(n)
    for i in range(n):
        m = beta * float(policy_chosen[i].double() - reference_chosen[i].double()
                         - policy_rejected[i].double() + reference_rejected[i].double())  # fmt: skip
        weight = 1 / (1 + math.exp(m)) if m < 500 else 0.0
        up[i], down[i] = -beta * weight / n, beta * weight / n
    return up, down
