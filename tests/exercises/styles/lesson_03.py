# ruff: noqa: E501 (other people's styles)
"""Correct solutions in other styles: loops, other dtypes, warnings, prints."""

import warnings

import numpy as np
import torch


def optimizer_steps__floor(n_examples, batch_size, accumulation, epochs):
    for value in (n_examples, batch_size, accumulation):
        if value <= 0:
            raise ValueError(value)
    if epochs < 0:
        raise ValueError(epochs)
    batches = (n_examples - 1) // batch_size + 1
    total = epochs * ((batches - 1) // accumulation + 1)
    return int(total) if total == int(total) else int(total) + 1


def optimizer_steps__ranges(n_examples, batch_size, accumulation, epochs):
    if n_examples < 1 or batch_size < 1 or accumulation < 1 or not epochs >= 0:
        raise ValueError("no such run")
    batches = list(range(0, n_examples, batch_size))
    steps = len(batches[::accumulation])
    return int(np.ceil(steps * epochs))


def optimizer_steps__loop(n_examples, batch_size, accumulation, epochs):
    if any(x < 1 for x in [n_examples, batch_size, accumulation]) or epochs < 0:
        raise ValueError
    batches = n_examples // batch_size + bool(n_examples % batch_size)
    steps = batches // accumulation + bool(batches % accumulation)
    done = 0
    while done < epochs * steps:
        done += 1
    return done


def paired_interval__numpy(a, b, draws, level=0.95):
    if len(a) != len(b) or len(a) == 0:
        raise ValueError
    d = np.array(a) - np.array(b)
    means = d[draws.numpy()].mean(axis=1)
    tail = 50 * (1 - level)
    return tuple(np.percentile(means, [tail, 100 - tail]))


def paired_interval__loop(a, b, draws, level=0.95):
    print(level)
    if not a or len(a) != len(b):
        raise ValueError("scores")
    means = []
    for test in draws.tolist():
        means.append(sum(a[i] - b[i] for i in test) / len(test))
    means.sort()

    def quantile(q):
        place = q * (len(means) - 1)
        k = int(place)
        if k + 1 == len(means):
            return means[k]
        return means[k] * (1 - (place - k)) + means[k + 1] * (place - k)

    return [quantile((1 - level) / 2), quantile((1 + level) / 2)]


def paired_interval__two_means(a, b, draws, level=0.95):
    warnings.warn("two means", stacklevel=1)
    if len(a) == 0 or len(b) != len(a):
        raise ValueError
    x, y = torch.tensor([a, b]).double() if False else (torch.tensor(a, dtype=torch.double),
                                                        torch.tensor(b, dtype=torch.double))  # fmt: skip
    means = x[draws].mean(-1) - y[draws].mean(-1)
    q = torch.tensor([(1 - level) / 2, 1 - (1 - level) / 2], dtype=torch.double)
    low, high = means.quantile(q)
    return low, high
