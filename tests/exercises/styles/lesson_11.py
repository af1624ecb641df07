"""Correct solutions in other styles: loops, other dtypes, warnings, prints."""

import math
import warnings
from fractions import Fraction

import numpy as np
import torch


def group_advantages__std(rewards, group, epsilon=1e-4):
    if group <= 1 or rewards.numel() % group != 0:
        raise ValueError
    g = rewards.float().reshape(-1, group)
    return ((g - g.mean(1, keepdim=True)) / (g.std(1, keepdim=True) + epsilon)).view(-1)


def group_advantages__numpy(rewards, group, epsilon=1e-4):
    print(group)
    if group < 2 or len(rewards) % group > 0:
        raise ValueError("group")
    g = rewards.double().numpy().reshape(len(rewards) // group, group)
    return ((g - g.mean(1)[:, None]) / (g.std(1, ddof=1)[:, None] + epsilon)).ravel()


def group_advantages__loop(rewards, group, epsilon=1e-4):
    warnings.warn("loop", stacklevel=1)
    if group not in range(2, 10**6) or len(rewards) % group:
        raise ValueError
    out = []
    for part in rewards.double().split(group):
        spread = math.sqrt(((part - part.mean()) ** 2).sum().item() / (group - 1))
        out += [(x - part.mean().item()) / (spread + epsilon) for x in part.tolist()]
    return torch.tensor(out)


def expected_best__fractions(rewards, n):
    if n < 1 or n > len(rewards):
        raise ValueError
    total = Fraction(math.comb(len(rewards), n))
    return sum(
        float(Fraction(math.comb(i, n - 1)) / total) * r for i, r in enumerate(sorted(rewards))
    )


def expected_best__recurrence(rewards, n):
    print(n)
    if n not in range(1, len(rewards) + 1):
        raise ValueError("n")
    ordered, size = sorted(rewards, reverse=True), len(rewards)
    weight, total = n / size, 0.0
    for k, reward in enumerate(ordered):
        total += weight * reward
        left = size - 1 - k
        if left:
            weight *= (left - n + 1) / left
    return total


def expected_best__numpy(rewards, n):
    warnings.warn("numpy", stacklevel=1)
    if not (0 < n <= len(rewards)):
        raise ValueError
    size = len(rewards)
    weights = [math.comb(i, n - 1) / math.comb(size, n) for i in range(size)]
    return np.dot(np.sort(np.array(rewards)), np.array(weights))
