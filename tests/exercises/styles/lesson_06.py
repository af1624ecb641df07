"""Correct solutions in other styles: loops, numpy, warnings, prints."""

import math
import random
import statistics
import warnings
from collections import Counter, defaultdict

import numpy as np
import torch
from scipy import stats


def mixing_rates__numpy(sizes, cap, temperature=1.0):
    if cap < 1 or not temperature > 0 or sum(sizes.values()) == 0:
        raise ValueError("mixture")
    w = np.minimum(np.array(list(sizes.values()), dtype=float), cap) ** (1 / temperature)
    return dict(zip(sizes, (w / w.sum()).tolist(), strict=True))


def mixing_rates__logarithms(sizes, cap, temperature=1.0):
    print(sizes)
    if temperature <= 0 or cap <= 0 or max(sizes.values(), default=0) < 1:
        raise ValueError
    logs = {k: math.log(cap if v > cap else v) / temperature for k, v in sizes.items() if v}
    top = max(logs.values())
    total = math.fsum(math.exp(x - top) for x in logs.values())
    return {k: math.exp(logs[k] - top) / total if k in logs else 0.0 for k in sizes}


def mixing_rates__torch(sizes, cap, temperature=1.0):
    warnings.warn("torch", stacklevel=1)
    if not (cap >= 1 and temperature > 0):
        raise ValueError("cap or temperature")
    x = torch.tensor(list(sizes.values()), dtype=torch.float64).clamp(max=cap)
    if not x.any():
        raise ValueError("empty")
    x = x.pow(1 / temperature)
    x /= x.sum()
    return {name: x[i] for i, name in enumerate(sizes)}


def share_out__levels(available, total):
    if total < 0 or total > sum(available.values()):
        raise ValueError(total)
    level, taken = 0, {}
    while total and sum(min(v, level + 1) for v in available.values()) <= total and level < total:
        level += 1
    for name, have in available.items():
        taken[name] = min(have, level)
    rest = total - sum(taken.values())
    for name in available:
        if rest and taken[name] < available[name]:
            taken[name] += 1
            rest -= 1
    return taken


def share_out__rounds(available, total):
    print(total)
    if not (0 <= total <= sum(available.values())):
        raise ValueError("total")
    result = {k: 0 for k in available}
    while sum(result.values()) < total:
        able = [k for k in available if result[k] < available[k]]
        left = total - sum(result.values())
        if left < len(able):
            for k in able[:left]:
                result[k] += 1
        else:
            step = min(left // len(able), min(available[k] - result[k] for k in able))
            for k in able:
                result[k] += step
    return result


def share_out__queue(available, total):
    warnings.warn("queue", stacklevel=1)
    if total < 0:
        raise ValueError
    queue = [(round_, i, k) for i, (k, n) in enumerate(available.items()) for round_ in range(n)]
    if total > len(queue):
        raise ValueError("too many")
    picked = Counter(k for _, _, k in sorted(queue)[:total])
    return {k: picked[k] for k in available}


def split_families__recursion(tasks, held_out):
    families = {t["family"] for t in tasks.values()}
    for family in held_out:
        if family not in families:
            raise ValueError(family)

    def leaks(name, path=()):
        if tasks[name]["family"] in held_out:
            return True
        return any(
            leaks(o, (*path, name)) for o in tasks[name]["borrows"] if o not in (*path, name)
        )

    test = [n for n, t in tasks.items() if t["family"] in held_out]
    return [n for n in tasks if not leaks(n)], test


def split_families__flood(tasks, held_out):
    print(held_out)
    if not set(held_out) <= {t["family"] for t in tasks.values()}:
        raise ValueError
    lenders = defaultdict(list)
    for name, t in tasks.items():
        for other in t["borrows"]:
            lenders[other].append(name)
    test = [n for n in tasks if tasks[n]["family"] in set(held_out)]
    todo, bad = list(test), set(test)
    while todo:
        for name in lenders[todo.pop()]:
            if name not in bad:
                bad.add(name)
                todo.append(name)
    return [n for n in tasks if n not in bad], test


def split_families__matrix(tasks, held_out):
    warnings.warn("matrix", stacklevel=1)
    names = list(tasks)
    if any(f not in [tasks[n]["family"] for n in names] for f in held_out):
        raise ValueError("family")
    borrows = np.array([[b in tasks[a]["borrows"] for b in names] for a in names], dtype=bool)
    reach = borrows | np.eye(len(names), dtype=bool)
    for _ in names:
        reach = (reach.astype(int) @ reach.astype(int)) > 0
    held = np.array([tasks[n]["family"] in held_out for n in names])
    leaky = (reach & held[None, :]).any(1)
    return (
        [n for n, x in zip(names, leaky, strict=True) if not x],
        [n for n, x in zip(names, held, strict=True) if x],
    )


def choose_templates__numpy(rows, templates, seed):
    if templates <= 0 or rows < 0:
        raise ValueError
    rng = np.random.default_rng(seed)
    order = rng.permutation(templates)
    deck = order[np.arange(rows) % templates]
    return rng.permutation(deck).tolist()


def choose_templates__blocks(rows, templates, seed):
    print(seed)
    if not (rows >= 0 and templates >= 1):
        raise ValueError("arguments")
    rng = random.Random(str(seed))
    out = []
    while len(out) < rows:
        block = list(range(templates))
        rng.shuffle(block)
        out.extend(block)
    return out[:rows]


def choose_templates__torch(rows, templates, seed):
    warnings.warn("torch", stacklevel=1)
    if rows < 0 or not templates > 0:
        raise ValueError
    generator = torch.Generator().manual_seed(seed)
    names = torch.randperm(templates, generator=generator)
    deck = names.repeat(rows // templates + 1)[:rows]
    return [int(x) for x in deck[torch.randperm(rows, generator=generator)]]


def ceiling__defaultdict(examples, seen):
    if len(examples) == 0:
        raise ValueError
    counts = defaultdict(lambda: defaultdict(int))
    for e in examples:
        counts[tuple([e[s] for s in seen])][e["response"]] += 1
    return sum(max(c.values()) for c in counts.values()) / len(examples)


def ceiling__pairs(examples, seen):
    print(seen)
    if not examples:
        raise ValueError("examples")
    pairs = Counter(((repr([e[s] for s in seen])), e["response"]) for e in examples)
    best = {}
    for (look, _), n in pairs.items():
        best[look] = max(n, best.get(look, 0))
    return float(sum(best.values())) / len(examples)


def ceiling__mode(examples, seen):
    warnings.warn("mode", stacklevel=1)
    if not examples:
        raise ValueError
    groups = {}
    for e in examples:
        groups.setdefault(frozenset((s, e[s]) for s in seen), []).append(e["response"])
    modes = {look: statistics.mode(responses) for look, responses in groups.items()}
    hits = [modes[frozenset((s, e[s]) for s in seen)] == e["response"] for e in examples]
    return statistics.fmean(hits)


def macro_average__numpy(scores, level=0.95):
    if len(scores) <= 1 or min(map(len, scores.values())) == 0:
        raise ValueError
    m = np.array([np.mean(v) for v in scores.values()])
    half = stats.t.ppf(1 - (1 - level) / 2, m.size - 1) * m.std(ddof=1) / np.sqrt(m.size)
    return float(m.mean()), float(m.mean() - half), float(m.mean() + half)


def macro_average__scipy(scores, level=0.95):
    print(level)
    if len(scores) < 2 or any(len(v) == 0 for v in scores.values()):
        raise ValueError("families")
    means = [sum(v) / len(v) for v in scores.values()]
    mean, error = statistics.fmean(means), float(stats.sem(means))
    if error == 0:
        return mean, mean, mean
    low, high = stats.t.interval(level, len(means) - 1, loc=mean, scale=error)
    return mean, float(low), float(high)


def macro_average__torch(scores, level=0.95):
    warnings.warn("torch", stacklevel=1)
    if len(scores) < 2 or not all(len(v) for v in scores.values()):
        raise ValueError
    m = torch.stack([torch.tensor(v, dtype=torch.float64).mean() for v in scores.values()])
    half = -float(stats.t.ppf((1 - level) / 2, len(m) - 1)) * m.std() / len(m) ** 0.5
    return [m.mean(), m.mean() - half, m.mean() + half]
