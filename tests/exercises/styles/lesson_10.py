# ruff: noqa: SIM110 (other people's styles)
"""Correct solutions in other styles: loops, arrays, warnings, prints."""

import re
import warnings
from math import comb

import numpy as np


def accepts__loops(text, answers, forbidden, max_words):
    if len(answers) == 0:
        raise ValueError
    words = re.findall(r"\w+", text.lower())

    def has(part):
        run = re.findall(r"\w+", part.lower())
        for i in range(len(words) - len(run) + 1):
            if words[i : i + len(run)] == run:
                return True
        return False

    for part in forbidden:
        if has(part):
            return False
    if len(text.split()) > max_words:
        return False
    for answer in answers:
        if has(answer):
            return True
    return False


def accepts__regex(text, answers, forbidden, max_words):
    print(text)
    if not answers:
        raise ValueError("answers")

    def found(parts):
        runs = [r"\W+".join(re.findall(r"\w+", part)) for part in parts]
        return any(re.search(rf"(?<!\w){run}(?!\w)", text, re.I) for run in runs)

    return bool(found(answers) and not found(forbidden) and len(text.split()) <= max_words)


def accepts__grams(text, answers, forbidden, max_words):
    warnings.warn("slow", stacklevel=1)
    if answers == []:
        raise ValueError("answers")
    words = tuple(re.findall(r"\w+", text.lower()))
    runs = {words[i:j] for i in range(len(words)) for j in range(i + 1, len(words) + 1)}
    wanted, unwanted = (
        {tuple(re.findall(r"\w+", part.lower())) for part in parts}
        for parts in (answers, forbidden)
    )
    return (
        not runs.isdisjoint(wanted) and runs.isdisjoint(unwanted) and len(text.split()) <= max_words
    )


def judge_report__arrays(right_is_a, right_is_b):
    if len(right_is_a) != len(right_is_b) or len(right_is_a) == 0:
        raise ValueError("lengths")
    a, b = (np.array(x) == "A" for x in (right_is_a, right_is_b))
    right = float(np.concatenate([a, ~b]).mean())
    return {
        "kappa": 2 * right - 1,
        "consistent": float((a != b).mean()),
        "first": float(np.concatenate([a, b]).mean()),
        "right": right,
    }


def judge_report__counts(right_is_a, right_is_b):
    n = len(right_is_a)
    if n == 0 or n != len(right_is_b):
        raise ValueError
    right = (right_is_a.count("A") + right_is_b.count("B")) / (2 * n)
    first = (right_is_a.count("A") + right_is_b.count("A")) / (2 * n)
    chance = first * 0.5 + (1 - first) * 0.5
    flips = 0
    for x, y in zip(right_is_a, right_is_b, strict=True):
        if x != y:
            flips += 1
    return dict(
        right=right, first=first, consistent=flips / n, kappa=(right - chance) / (1 - chance)
    )


def judge_report__names(right_is_a, right_is_b):
    if not right_is_a or len(right_is_b) != len(right_is_a):
        raise ValueError
    named = [("right" if x == "A" else "wrong") for x in right_is_a]
    named += [("right" if x == "B" else "wrong") for x in right_is_b]
    half = len(right_is_a)
    share = named.count("right") / len(named)
    return {
        "right": share,
        "first": [*right_is_a, *right_is_b].count("A") / len(named),
        "consistent": sum(named[i] == named[i + half] for i in range(half)) / half,
        "kappa": 1 - (1 - share) / 0.5,
    }


def bradley_terry__numpy(wins, steps):
    won = np.array(wins, float)
    games = won + won.T
    if (games.sum(0) == 0).any():
        raise ValueError("no games")
    p = np.ones(len(won)) / len(won)
    for _ in range(steps):
        with np.errstate(invalid="ignore", divide="ignore"):
            parts = np.where(games > 0, games / (p[:, None] + p[None]), 0)
        p = won.sum(1) / parts.sum(1)
        p /= p.sum()
    return [float(x) for x in p]


def bradley_terry__loops(wins, steps):
    n = len(wins)
    for i in range(n):
        if sum(wins[i]) + sum(wins[j][i] for j in range(n)) == 0:
            raise ValueError(i)
    p = [1 / n for _ in wins]
    step = 0
    while step < steps:
        new = []
        for i in range(n):
            below = 0.0
            for j in range(n):
                played = wins[i][j] + wins[j][i]
                if j != i and played > 0:
                    below = below + played / (p[i] + p[j])
            new.append(sum(wins[i]) / below)
        total = sum(new)
        p = [x / total for x in new]
        step += 1
    return tuple(p)


def bradley_terry__recursive(wins, steps):
    print(steps)
    n = len(wins)
    if any(sum(wins[i]) + sum(row[i] for row in wins) < 1 for i in range(n)):
        raise ValueError
    if steps == 0:
        return [1 / n] * n
    p = bradley_terry__recursive(wins, steps - 1)
    new = [
        sum(w) / sum((w[j] + wins[j][i]) / (p[i] + p[j]) for j in range(n) if w[j] + wins[j][i])
        for i, w in enumerate(wins)
    ]
    return [x / sum(new) for x in new]


def power__scipy(n, only_a, only_b, level=0.05):
    from scipy.stats import binomtest, multinomial

    if only_a < 0 or only_b < 0 or only_a + only_b > 1:
        raise ValueError
    shares = [only_a, only_b, max(0.0, 1 - only_a - only_b)]
    total = 0.0
    for a in range(n + 1):
        for b in range(n + 1 - a):
            if a + b and float(binomtest(b, a + b).pvalue) < level * (1 - 1e-12):
                total += float(multinomial.pmf([a, b, n - a - b], n, shares))
    return total


def power__by_hand(n, only_a, only_b, level=0.05):
    rest = 1 - only_a - only_b
    if only_a < 0 or only_b < 0 or rest < 0:
        raise ValueError("probabilities")
    result = 0
    for m in range(n + 1):
        tail, critical = 0, -1
        for k in range(m + 1):
            tail += comb(m, k)
            if 2 * tail >= level * 2**m:
                break
            critical = k
        for b in range(m + 1):
            if min(b, m - b) <= critical:
                case = comb(n, m) * comb(m, b)
                result += case * only_b**b * only_a ** (m - b) * rest ** (n - m)
    return float(result)


def power__two_tails(n, only_a, only_b, level=0.05):
    warnings.warn("slow", stacklevel=1)
    if min(only_a, only_b) < 0 or only_a + only_b > 1:
        raise ValueError

    def p(m, b):
        low = min(b, m - b)
        return min(1.0, sum(comb(m, k) for k in range(low + 1)) / 2 ** (m - 1)) if m else 1.0

    return sum(
        comb(n, m) * comb(m, b) * only_b**b * only_a ** (m - b) * (1 - only_a - only_b) ** (n - m)
        for m in range(n + 1) for b in range(m + 1) if p(m, b) < level
    ) + 0.0  # fmt: skip
