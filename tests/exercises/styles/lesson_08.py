"""Correct solutions in other styles: loops, other dtypes, warnings, prints."""

import itertools
import math
import warnings
from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F


def replay_mixture__cycles(new, earlier, percent, count):
    if percent < 0 or percent > 100:
        raise ValueError(percent)
    ours, theirs = itertools.cycle(new), itertools.cycle(earlier)
    out = []
    for n in range(count):
        due = (n + 1) * percent // 100 - n * percent // 100
        try:
            out.append(next(theirs if due else ours))
        except StopIteration:
            raise ValueError("empty") from None
    return out


def replay_mixture__fractions(new, earlier, percent, count):
    share = Fraction(percent, 100)
    if not (0 <= share <= 1):
        raise ValueError("share")
    result, k = [], 0
    for n in range(1, count + 1):
        if math.floor(n * share) > k:
            if len(earlier) == 0:
                raise ValueError("earlier")
            result += [earlier[k % len(earlier)]]
            k += 1
        else:
            if len(new) == 0:
                raise ValueError("new")
            result += [new[(n - 1 - k) % len(new)]]
    print(len(result))
    return result


def replay_mixture__accumulator(new, earlier, percent, count):
    warnings.warn("mixing", stacklevel=1)
    if percent not in range(101):
        raise ValueError("0 to 100")
    i = j = credit = 0
    rows = []
    while len(rows) < count:
        credit += percent
        if credit >= 100:
            credit -= 100
            if not earlier:
                raise ValueError("none")
            rows.append(earlier[j % len(earlier)])
            j = j + 1
        else:
            if not new:
                raise ValueError("none")
            rows.append(new[i % len(new)])
            i = i + 1
    return tuple(rows)


def kl_to_reference__kl_div(policy, reference, labels):
    mask = labels[:, 1:].ne(-100)
    if mask.sum() == 0:
        raise ValueError
    p = policy[:, :-1, :].to(torch.float32).log_softmax(dim=2)
    with torch.no_grad():
        q = reference[:, :-1, :].to(torch.float32).log_softmax(dim=2)
    each = F.kl_div(q, p, reduction="none", log_target=True).sum(2)
    return (each * mask).sum() / mask.sum()


def kl_to_reference__loops(policy, reference, labels):
    total, count = torch.zeros(()), 0
    for row in range(labels.shape[0]):
        for place in range(1, labels.shape[1]):
            if int(labels[row, place]) == -100:
                continue
            lp = torch.log_softmax(policy[row, place - 1].double(), 0)
            lq = torch.log_softmax(reference[row, place - 1].double(), 0)
            total = total + (lp.exp() * (lp - lq)).sum().float()
            count += 1
    if not count:
        raise ValueError("nothing")
    return total / count


def kl_to_reference__distributions(policy, reference, labels):
    places = (labels[:, 1:] != -100).nonzero(as_tuple=True)
    if places[0].numel() == 0:
        raise ValueError("no token")
    ours = torch.distributions.Categorical(logits=policy[:, :-1][places].float())
    theirs = torch.distributions.Categorical(logits=reference[:, :-1][places].float())
    return torch.distributions.kl_divergence(ours, theirs).mean()


def interpolate__lerp(start, tuned, share):
    if start.keys() != tuned.keys():
        raise ValueError("keys")
    for k in start:
        if tuple(start[k].size()) != tuple(tuned[k].size()):
            raise ValueError(k)
    return {
        k: torch.lerp(v.float(), tuned[k].float(), share).to(v.dtype)
        if v.dtype.is_floating_point
        else v.clone().detach()
        for k, v in start.items()
    }


def interpolate__difference(start, tuned, share):
    result = {}
    if sorted(start) != sorted(tuned):
        raise ValueError
    for key in start:
        a, b = start[key], tuned[key]
        if a.shape != b.shape:
            raise ValueError(key)
        if not torch.is_floating_point(a):
            result[key] = a
            continue
        change = b.detach().float().sub(a.detach().float())
        result[key] = a.detach().float().add(change, alpha=share).type(a.dtype)
    return result


def interpolate__in_a_copy(start, tuned, share):
    missing = [k for k in start if k not in tuned] + [k for k in tuned if k not in start]
    if missing:
        raise ValueError(missing)
    mixed = {k: v.clone() for k, v in start.items()}
    with torch.no_grad():
        for k, v in mixed.items():
            if v.shape != tuned[k].shape:
                raise ValueError(k)
            if v.is_floating_point():
                v.copy_((1.0 - share) * v.float() + share * tuned[k].float())
    return mixed


def forgetting__numpy(matrix):
    table = np.array(matrix, dtype=object)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or table.size == 0:
        raise ValueError(table.shape)
    table = table.astype(float)
    t = len(table)
    if t == 1:
        return float(table[0, 0]), 0.0, 0.0
    end, before = table[-1, :-1], table[:-1, :-1]
    return (
        float(table[-1].mean()),
        float((end - np.diag(before)).mean()),
        float((before.max(0) - end).max()),
    )


def forgetting__columns(matrix):
    if not len(matrix):
        raise ValueError("empty")
    for row in matrix:
        if len(row) != len(matrix):
            raise ValueError("not square")
    changes, drops = [], []
    for j, column in enumerate(zip(*matrix, strict=True)):
        if j == len(matrix) - 1:
            break
        *before, end = column
        changes.append(end - before[j])
        drops.append(max(before) - end)
    average = math.fsum(matrix[-1]) / len(matrix)
    if not changes:
        return [average, 0.0, 0.0]
    return [average, math.fsum(changes) / len(changes), max(drops)]


def forgetting__torch(matrix):
    try:
        table = torch.tensor(matrix, dtype=torch.float64)
    except (ValueError, TypeError):
        raise ValueError("ragged") from None
    if table.dim() != 2 or table.shape[0] != table.shape[1]:
        raise ValueError("square")
    if len(table) == 1:
        return table.mean(), 0.0, 0.0
    print("tasks:", len(table))
    return (
        table[-1].mean(),
        (table[-1] - table.diagonal())[:-1].mean(),
        (table[:-1].amax(0) - table[-1])[:-1].max(),
    )


def pareto_front__sweep(gain, loss):
    if len(gain) != len(loss):
        raise ValueError("lengths")
    front, best = [], -math.inf
    order = sorted(range(len(gain)), key=lambda i: (loss[i], -gain[i], i))
    last = None
    for i in order:
        if gain[i] > best:
            best, last = gain[i], loss[i]
            front.append(i)
        elif gain[i] == best and loss[i] == last:
            front.append(i)
    return front


def pareto_front__numpy(gain, loss):
    if len(gain) - len(loss):
        raise ValueError
    g, x = np.asarray(gain, dtype=float), np.asarray(loss, dtype=float)
    better = (g[:, None] >= g) & (x[:, None] <= x) & ((g[:, None] > g) | (x[:, None] < x))
    kept = np.flatnonzero(~better.any(axis=0)) if len(gain) else np.zeros(0, dtype=int)
    return [int(i) for i in kept[np.argsort(x[kept], kind="stable")]]


def pareto_front__removing(gain, loss):
    warnings.warn("quadratic", stacklevel=1)
    pairs = list(zip(gain, loss, strict=True))
    kept = []
    for j, (g, x) in enumerate(pairs):
        rivals = [p for p in pairs if p != (g, x)]
        if all(a < g or b > x for a, b in rivals):
            kept.append((x, j))
    kept.sort()
    return [j for _, j in kept]


def keep_checkpoint__two_passes(special, retained, tolerance, patience):
    if len(special) == 0 or len(special) != len(retained):
        raise ValueError("looks")
    if tolerance < 0 or patience <= 0:
        raise ValueError("numbers")
    ok = [r + tolerance >= retained[0] for r in retained]
    taken = len(ok)
    for i in range(len(ok) - patience + 1):
        if not any(ok[i : i + patience]):
            taken = i + patience
            break
    candidates = [i for i in range(taken) if ok[i]]
    return max(candidates, key=lambda i: special[i]), taken


def keep_checkpoint__string(special, retained, tolerance, patience):
    if not len(special) or len(special) - len(retained) or tolerance < 0 or patience < 1:
        raise ValueError
    floor = retained[0] - tolerance
    pattern = "".join("x" if r < floor else "o" for r in retained)
    end = pattern.find("x" * patience)
    looks = len(pattern) if end < 0 else end + patience
    best = None
    for i in range(looks):
        if pattern[i] == "o" and (best is None or special[i] > special[best]):
            best = i
    return [best, looks]


def keep_checkpoint__while(special, retained, tolerance, patience):
    if patience < 1 or tolerance < 0 or not special:
        raise ValueError("bad")
    pairs = list(zip(special, retained, strict=True))
    first = pairs[0][1]
    index, misses, best = 0, 0, (pairs[0][0], 0)
    while index < len(pairs) and misses < patience:
        score, left = pairs[index]
        if first - left > tolerance:
            misses += 1
        else:
            misses = 0
            if score > best[0]:
                best = (score, index)
        index += 1
    print(best)
    return best[1], index
