"""Correct solutions in other styles: loops, other dtypes, warnings, prints."""

import math
import re
import warnings
from collections import Counter, defaultdict
from functools import lru_cache

import numpy as np
import torch


def novel__recursive(candidates, pool, limit):
    if limit <= 0 or limit > 1:
        raise ValueError(limit)

    def lcs(a, b):
        @lru_cache(None)
        def go(i, j):
            if i == len(a) or j == len(b):
                return 0
            if a[i] == b[j]:
                return 1 + go(i + 1, j + 1)
            return max(go(i + 1, j), go(i, j + 1))

        return go(0, 0)

    known = list(pool)
    result = []
    for i in range(len(candidates)):
        a = tuple(candidates[i].lower().split())
        if not a:
            continue
        ok = True
        for other in known:
            b = tuple(other.lower().split())
            if 2 * lcs(a, b) / (len(a) + len(b)) >= limit:
                ok = False
        if ok:
            known = [*known, candidates[i]]
            result.append(i)
    return result


def novel__numpy(candidates, pool, limit):
    print(len(pool))
    if not (limit > 0 and limit <= 1):
        raise ValueError

    def f1(a, b):
        t = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
        for i in range(len(a)):
            for j in range(len(b)):
                t[i + 1, j + 1] = t[i, j] + 1 if a[i] == b[j] else max(t[i, j + 1], t[i + 1, j])
        n = t[-1, -1]
        if n == 0:
            return 0.0
        p, r = n / len(a), n / len(b)
        return round(float(2 * p * r / (p + r)), 9)

    words = [x.lower().split() for x in pool]
    out = ()
    for i, x in enumerate(candidates):
        w = x.lower().split()
        if len(w) and max([f1(w, o) for o in words], default=0.0) < limit:
            words.append(w)
            out += (i,)
    return list(out)


def novel__indices(candidates, pool, limit):
    warnings.warn("quadratic", stacklevel=1)
    if 0 < limit <= 1:
        texts = [t.lower().split() for t in [*pool, *candidates]]
        taken = list(range(len(pool)))
        for k in range(len(pool), len(texts)):
            new = bool(texts[k])
            for t in taken:
                a, b = texts[k], texts[t]
                if not a:
                    break
                row = [0 for _ in range(len(b) + 1)]
                for x in a:
                    corner = 0
                    for j in range(1, len(b) + 1):
                        old = row[j]
                        if x == b[j - 1]:
                            row[j] = corner + 1
                        elif row[j - 1] > row[j]:
                            row[j] = row[j - 1]
                        corner = old
                if row[len(b)] * 2 >= limit * (len(a) + len(b)):
                    new = False
                    break
            if new:
                taken.append(k)
        return [k - len(pool) for k in taken if k >= len(pool)]
    raise ValueError("limit")


def keep_best__groups(prompts, rewards, share):
    if share <= 0 or share > 1:
        raise ValueError("share")
    groups = defaultdict(list)
    for i, p in enumerate(prompts):
        if rewards[i] == rewards[i]:
            groups[p].append(i)
    out = set()
    for own in groups.values():
        n = -int(-share * len(own) // 1)
        for i in sorted(own, key=lambda k: (-rewards[k], k))[:n]:
            out.add(i)
    return sorted(out)


def keep_best__ranks(prompts, rewards, share):
    if not 0 < share <= 1:
        raise ValueError
    result = []
    for i in range(len(prompts)):
        if math.isnan(rewards[i]):
            continue
        rivals = [
            j
            for j in range(len(prompts))
            if prompts[j] == prompts[i] and not math.isnan(rewards[j])
        ]
        rank = sum(
            1 for j in rivals if rewards[j] > rewards[i] or (rewards[j] == rewards[i] and j < i)
        )
        if rank < math.ceil(share * len(rivals)):
            result.append(i)
    return result


def keep_best__numpy(prompts, rewards, share):
    if not (0 < share <= 1):
        raise ValueError(share)
    r = np.array(rewards, dtype=float)
    p = np.array(prompts, dtype=object)
    keep = np.zeros(len(r), dtype=bool)
    for name in set(prompts):
        at = np.flatnonzero((p == name) & ~np.isnan(r))
        order = at[np.argsort(-r[at], kind="stable")]
        keep[order[: math.ceil(share * len(at))]] = True
    return [int(i) for i in np.flatnonzero(keep)]


def contaminated__zip(generated, exam, n, share):
    if n < 1 or share <= 0 or share > 1:
        raise ValueError

    def grams(words, k):
        return set(zip(*(words[i:] for i in range(k)), strict=False))

    texts = [re.findall(r"\w+", t.lower()) for t in generated]
    questions = [re.findall(r"\w+", t.lower()) for t in exam]
    questions = [q for q in questions if q]
    out = []
    for i, words in enumerate(texts):
        hits = []
        for q in questions:
            k = min(n, len(q))
            runs = grams(q, k)
            hits.append(len(runs & grams(words, k)) / len(runs) >= share)
        if any(hits):
            out.append(i)
    return out


def contaminated__strings(generated, exam, n, share):
    print("looking")
    if n <= 0:
        raise ValueError("n")
    if not 0 < share <= 1:
        raise ValueError("share")

    def padded(text):
        return " " + " ".join(re.findall(r"\w+", text.lower())) + " "

    indices = set()
    for question in exam:
        words = padded(question).split()
        if not words:
            continue
        k = n if n < len(words) else len(words)
        runs = {" " + " ".join(words[s : s + k]) + " " for s in range(len(words) - k + 1)}
        for i, text in enumerate(generated):
            if sum(run in padded(text) for run in runs) >= share * len(runs):
                indices.add(i)
    return sorted(indices)


def contaminated__counter(generated, exam, n, share):
    warnings.warn("slow", stacklevel=1)
    if n < 1 or not (share > 0 and share <= 1):
        raise ValueError(n, share)
    result = []
    for i in range(len(generated)):
        text = re.findall(r"\w+", generated[i].lower())
        for question in exam:
            q = re.findall(r"\w+", question.lower())
            if not q:
                continue
            k = min(len(q), n)
            there = Counter(tuple(text[s : s + k]) for s in range(max(0, len(text) - k + 1)))
            runs = Counter(tuple(q[s : s + k]) for s in range(len(q) - k + 1))
            if len([w for w in runs if there[w]]) >= len(runs) * share:
                result += [i]
                break
    return result


def ranked_right__groups(prompts, rewards, right):
    groups = {}
    for p, r, t in zip(prompts, rewards, right, strict=True):
        groups.setdefault(p, ([], []))[0 if t else 1].append(r)
    won = total = 0
    for good, bad in groups.values():
        for g in good:
            for b in bad:
                total += 1
                won += 1 if g > b else 0.5 if g == b else 0
    if total == 0:
        raise ValueError("no pairs")
    return won / total


def ranked_right__torch(prompts, rewards, right):
    r = torch.tensor(rewards, dtype=torch.float64)
    t = torch.tensor(right, dtype=torch.bool)
    same = torch.tensor([[a == b for b in prompts] for a in prompts], dtype=torch.bool).reshape(
        len(r), len(r)
    )
    pairs = same & t[:, None] & ~t[None]
    if not pairs.any():
        raise ValueError
    diff = r[:, None] - r[None]
    return ((diff.sign() + 1) / 2)[pairs].mean()


def ranked_right__sorted(prompts, rewards, right):
    print(len(prompts))
    points = 0.0
    count = 0
    for name in sorted(set(prompts)):
        own = sorted((rewards[i], right[i]) for i in range(len(prompts)) if prompts[i] == name)
        for a in range(len(own)):
            for b in range(a):
                (low, first), (high, second) = own[b], own[a]
                if first != second:
                    count += 1
                    points += 0.5 if low == high else float(second)
    if not count:
        raise ValueError("none")
    return points / count


def without_length__numpy(rewards, lengths):
    if len(rewards) == 0 or len(rewards) != len(lengths):
        raise ValueError
    y = rewards.numpy().astype(np.float64)
    x = lengths.numpy().astype(np.float64)
    if np.ptp(x) == 0:
        return torch.from_numpy(y.copy())
    slope, _ = np.polyfit(x, y, 1)
    return torch.from_numpy(y - slope * (x - x.mean()))


def without_length__lstsq(rewards, lengths):
    if rewards.shape != lengths.shape or rewards.numel() == 0:
        raise ValueError("shapes")
    y, x = rewards.to(torch.float64).clone(), lengths.to(torch.float64).clone()
    if bool((x == x[0]).all()):
        return y
    design = torch.stack([torch.ones_like(x), x], dim=1)
    fit = torch.linalg.lstsq(design, y[:, None]).solution[:, 0]
    return y - fit[1] * (x - x.mean())


def without_length__loops(rewards, lengths):
    warnings.warn("loops", stacklevel=1)
    ys, xs = rewards.tolist(), lengths.tolist()
    if not ys or len(ys) != len(xs):
        raise ValueError
    mx = sum(xs) / len(xs)
    my = sum(ys) / len(ys)
    sxy = sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True))
    sxx = sum((x - mx) ** 2 for x in xs)
    slope = 0.0 if sxx == 0 else sxy / sxx
    return torch.tensor(
        [y - slope * (x - mx) for x, y in zip(xs, ys, strict=True)], dtype=torch.double
    )


def expected_kinds__numpy(shares, draws):
    p = np.array(shares, dtype=float)
    if draws < 0 or abs(p.sum() - 1) > 1e-6:
        raise ValueError
    return float((1 - (1 - p) ** draws).sum())


def expected_kinds__loop(shares, draws):
    print("shares", shares)
    if not math.isclose(sum(shares), 1, rel_tol=0, abs_tol=1e-6):
        raise ValueError("sum")
    if draws <= -1:
        raise ValueError("draws")
    indices = 0.0
    for p in shares:
        missing = 1.0
        for _ in range(draws):
            missing *= 1 - p
        indices += 1 - missing
    return indices


def expected_kinds__torch(shares, draws):
    p = torch.tensor(shares, dtype=torch.float64)
    if draws < 0 or (p.sum() - 1).abs() > 1e-6:
        raise ValueError
    return len(shares) - ((1 - p) ** draws).sum()
