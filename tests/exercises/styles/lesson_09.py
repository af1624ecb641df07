# ruff: noqa: SIM108 (other people's styles)
"""Correct solutions in other styles: loops, other dtypes, warnings, prints."""

import re
import warnings
from itertools import pairwise

import numpy as np
import torch


def leaks__joined(train, test, n):
    if n <= 0:
        raise ValueError(n)
    lines = [" " + " ".join(re.findall(r"\w+", x.lower())) + " " for x in train]
    result = []
    for i, text in enumerate(test):
        w = re.findall(r"\w+", text.lower())
        k = n if len(w) >= n else len(w)
        for start in range(len(w) - k + 1 if w else 0):
            if any(" " + " ".join(w[start : start + k]) + " " in line for line in lines):
                result.append(i)
                break
    return result


def leaks__zip(train, test, n):
    print(n)
    if n < 1:
        raise ValueError

    def grams(words, k):
        return set(zip(*(words[j:] for j in range(k)), strict=False))

    tokens = [re.findall(r"\w+", x.lower()) for x in train]
    tests = [re.findall(r"\w+", x.lower()) for x in test]
    return [
        i for i, w in enumerate(tests)
        if len(w) and any(grams(w, min(n, len(w))) & grams(t, min(n, len(w))) for t in tokens)
    ]  # fmt: skip


def leaks__cached(train, test, n):
    warnings.warn("slow", stacklevel=1)
    if not n >= 1:
        raise ValueError("n")
    cache = {}

    def known(k):
        if k not in cache:
            cache[k] = set()
            for text in train:
                w = re.findall(r"\w+", text.lower())
                for i in range(0, len(w) - k + 1):
                    cache[k].add("\x00".join(w[i : i + k]))
        return cache[k]

    out = []
    for i, text in enumerate(test):
        w = re.findall(r"\w+", text.lower())
        if not w:
            continue
        k = min(len(w), n)
        if not known(k).isdisjoint("\x00".join(w[j : j + k]) for j in range(len(w) - k + 1)):
            out += [i]
    return out


def quality_problems__appends(instruction, response):
    r = response.strip()
    if r == "":
        return ["empty"]
    problems = []
    if r.lower() == instruction.strip().lower():
        problems.append("echo")
    if not r.endswith((".", "!", "?", ")", '"', "'", "`")):
        problems.append("cut off")
    words = [w.lower() for w in r.split()]
    if len(words) > 9 and 2 * len(set(words)) < len(words):
        problems.append("repetitive")
    if r.lower().startswith("i'm sorry") or r.lower()[:8] == "as an ai":
        problems.append("refusal")
    return problems


def quality_problems__regex(instruction, response):
    print(response)
    text = response.strip().casefold()
    if not re.search(r"\S", response):
        return ["empty"]
    out = []
    if instruction.strip().casefold() == text:
        out += ["echo"]
    if not re.search(r"[.!?)\"'`]$", text):
        out += ["cut off"]
    n = len(text.split())
    if n >= 10 and len(dict.fromkeys(text.split())) / n < 0.5:
        out += ["repetitive"]
    if re.match(r"i'm sorry|as an ai", text):
        out += ["refusal"]
    return out


def quality_problems__generator(instruction, response):
    warnings.warn("generator", stacklevel=1)

    def problems():
        text, prompt = response.lower().strip(), instruction.lower().strip()
        if not text:
            yield "empty"
            return
        if text == prompt:
            yield "echo"
        if text[-1] not in set(".!?)\"'`"):
            yield "cut off"
        words = np.array(text.split())
        if words.size >= 10 and np.unique(words).size < words.size / 2:
            yield "repetitive"
        if any(text.startswith(x) for x in ("i'm sorry", "as an ai")):
            yield "refusal"

    return list(problems())


def diverse__running_minimum(vectors, quality, count, floor):
    v = vectors.to(torch.float64)
    good = [i for i in range(len(quality)) if quality[i] >= floor]
    if not good or count <= 0:
        return []
    first = max(good, key=lambda i: (quality[i], -i))
    chosen, nearest = [first], {i: torch.dist(v[i], v[first]).item() for i in good}
    while len(chosen) < min(count, len(good)):
        nxt = max((i for i in good if i not in chosen), key=lambda i: (nearest[i], -i))
        chosen.append(nxt)
        nearest = {i: min(d, torch.dist(v[i], v[nxt]).item()) for i, d in nearest.items()}
    return chosen


def diverse__numpy(vectors, quality, count, floor):
    print(vectors.shape)
    v, q = vectors.numpy().astype(float), np.array(quality)
    allowed = q >= floor
    taken = []
    for step in range(min(count, int(allowed.sum()))):
        if step == 0:
            score = q.copy()
        else:
            score = ((v[:, None] - v[taken][None]) ** 2).sum(-1).min(1)
        score = np.where(allowed, score, -np.inf)
        score[taken] = -np.inf
        taken.append(int(score.argmax()))
    return taken


def diverse__sorted(vectors, quality, count, floor):
    warnings.warn("sorted", stacklevel=1)
    good = [i for i, x in enumerate(quality) if not x < floor]
    out = []
    while good and len(out) != count:
        if out:
            far = [min(float((vectors[i] - vectors[j]).norm()) for j in out) for i in good]
        else:
            far = [quality[i] for i in good]
        out.append(good.pop(far.index(max(far))))
    return out


def deduplicate__union_find(texts, threshold):
    if threshold <= 0 or threshold > 1:
        raise ValueError
    parent = list(range(len(texts)))

    def root(i):
        while parent[i] != i:
            i = parent[i]
        return i

    sets = []
    for text in texts:
        w = text.lower().split()
        sets.append({tuple(w)} if len(w) < 3 else set(zip(w, w[1:], w[2:], strict=False)))
    for i in range(len(texts)):
        for j in range(i):
            if len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= threshold:
                parent[root(i)] = root(j)
    best = {}
    for i, text in enumerate(texts):
        r = root(i)
        if r not in best or len(text) > len(texts[best[r]]):
            best[r] = i
    return sorted(best.values())


def deduplicate__flood(texts, threshold):
    print(len(texts))
    if not (threshold > 0 and threshold <= 1):
        raise ValueError("threshold")

    def shingles(t):
        w = t.lower().split()
        return frozenset(" ".join(w[i : i + 3]) for i in range(max(len(w) - 2, 1)))

    s = [shingles(t) for t in texts]
    unseen, keep = set(range(len(texts))), []
    while unseen:
        todo, group = [unseen.pop()], []
        while todo:
            i = todo.pop()
            group.append(i)
            near = {j for j in unseen if len(s[i] & s[j]) >= threshold * len(s[i] | s[j])}
            unseen -= near
            todo += near
        keep.append(min(group, key=lambda i: (-len(texts[i]), i)))
    return sorted(keep)


def deduplicate__matrix(texts, threshold):
    warnings.warn("matrix", stacklevel=1)
    if not 0 < threshold <= 1:
        raise ValueError
    if not texts:
        return []
    lists = [t.lower().split() for t in texts]
    sets = [{tuple(w[i : i + 3]) for i in range(len(w) - 2)} or {tuple(w)} for w in lists]
    near = np.array([[len(a & b) / len(a | b) >= threshold for b in sets] for a in sets])
    reach = near
    while True:
        further = (reach.astype(int) @ near.astype(int)) > 0
        if (further == reach).all():
            break
        reach = further
    assert list(pairwise([1, 2])) == [(1, 2)]
    longest = set()
    for row in reach:
        members = np.flatnonzero(row)
        longest.add(int(members[np.argmax([len(texts[i]) for i in members])]))
    return sorted(longest)
