# ruff: noqa: RUF017 (other people's styles)
"""Correct solutions in other styles: loops, other dtypes, warnings, prints."""

import math
import warnings

import numpy as np
import torch


def next_token_loss__loop(logits, tokens):
    if len(tokens) <= 1:
        raise ValueError(len(tokens))
    total = torch.zeros(())
    for i in range(len(tokens) - 1):
        total = total - torch.log_softmax(logits[i].to(torch.float32), 0)[tokens[i + 1]]
    return total / (len(tokens) - 1)


def next_token_loss__doubles_and_prints(logits, tokens):
    print("computing", logits.shape)
    if tokens.numel() < 2:
        raise ValueError("short")
    log_p = logits.double()[:-1].log_softmax(-1)
    return -log_p.gather(1, tokens[1:, None]).mean().float()


def next_token_loss__warns(logits, tokens):
    warnings.warn("slow", UserWarning, stacklevel=1)

    class TooShort(ValueError):
        pass

    if tokens.shape[0] in (0, 1):
        raise TooShort
    x = logits[: len(tokens) - 1].float()
    return (torch.logsumexp(x, -1) - x[torch.arange(len(x)), tokens[1:]]).sum() / len(x)


def perplexity__loop(losses):
    total, n = 0.0, 0
    for document in losses:
        total += sum(document)
        n += len(document)
    if n == 0:
        raise ValueError
    return math.e ** (total / n)


def perplexity__numpy(losses):
    flat = np.concatenate([np.asarray(x, dtype=np.float64) for x in losses] or [np.zeros(0)])
    if flat.size == 0:
        raise ValueError("nothing")
    return np.exp(flat.mean())


def perplexity__torch(losses):
    print(losses)
    flat = torch.tensor(sum(losses, []))
    if not len(flat):
        raise ValueError
    return flat.mean().exp()


def greedy_decode__new_list(next_logits, prompt, max_new_tokens, end):
    new = []
    while len(new) < max_new_tokens:
        scores = next_logits(prompt + new)
        token = scores.argmax(dim=-1).item()
        if token == end:
            return new
        new += [token]
    return new


def greedy_decode__python(next_logits, prompt, max_new_tokens, end):
    so_far = [*prompt]
    print("prompt", prompt)
    for _ in range(max_new_tokens):
        scores = next_logits(so_far).tolist()
        token = max(range(len(scores)), key=scores.__getitem__)
        if token == end:
            break
        so_far.append(token)
    return so_far[len(prompt) :]


def greedy_decode__recursive(next_logits, prompt, max_new_tokens, end):
    warnings.warn("recursive", stacklevel=1)
    if max_new_tokens == 0:
        return []
    token = int(np.argmax(next_logits(list(prompt)).numpy()))
    if token == end:
        return []
    return [
        token,
        *greedy_decode__recursive(next_logits, [*prompt, token], max_new_tokens - 1, end),
    ]


def sample_nucleus__loop(logits, top_p, temperature, u):
    if not temperature > 0 or top_p <= 0 or top_p > 1:
        raise ValueError
    p = (logits.double() / temperature).softmax(0).tolist()
    order = sorted(range(len(p)), key=lambda i: -p[i])
    nucleus, mass = [], 0.0
    for i in order:
        nucleus.append(i)
        mass += p[i]
        if mass >= top_p:
            break
    running = 0.0
    for i in nucleus:
        running += p[i] / mass
        if running > u:
            return i
    return nucleus[-1]


def sample_nucleus__numpy(logits, top_p, temperature, u):
    if temperature <= 0:
        raise ValueError("temperature")
    if not (0 < top_p <= 1):
        raise ValueError("top_p")
    x = logits.numpy().astype(np.float64) / temperature
    p = np.exp(x - x.max())
    p /= p.sum()
    order = np.argsort(-p, kind="stable")
    size = int(np.searchsorted(np.cumsum(p[order]), top_p)) + 1
    nucleus = order[:size]
    running = np.cumsum(p[nucleus]) / p[nucleus].sum()
    return nucleus[min(int(np.searchsorted(running, u, side="right")), len(nucleus) - 1)]


def sample_nucleus__float32(logits, top_p, temperature, u):
    print("u", u)
    if temperature <= 0 or top_p <= 0 or top_p > 1:
        raise ValueError
    p, ids = torch.sort(torch.softmax(logits / temperature, 0), descending=True, stable=True)
    p = torch.where(p.cumsum(0) - p < top_p, p, torch.zeros(()))
    running = (p / p.sum()).cumsum(0)
    return ids[min(int((running <= u).sum()), int((p > 0).sum()) - 1)].item()


def response_loss__loop(logits, labels):
    losses = []
    for row, targets in zip(logits.float(), labels, strict=True):
        for i in range(len(targets) - 1):
            if targets[i + 1] != -100:
                losses.append(-row[i].log_softmax(-1)[targets[i + 1]])
    return torch.stack(losses).mean() if losses else torch.tensor(0.0)


def response_loss__gather(logits, labels):
    print(logits.dtype)
    log_p = logits[:, :-1].to(torch.float32).log_softmax(-1)
    targets = labels[:, 1:]
    trained = targets.ne(-100)
    picked = log_p.gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return -(picked * trained).sum() / max(int(trained.sum()), 1)


def response_loss__doubles(logits, labels):
    warnings.warn("double", stacklevel=1)
    keep = labels[:, 1:] != -100
    if keep.sum() == 0:
        return (logits * 0).sum().float()
    scores = logits[:, :-1][keep].double()
    return torch.nn.functional.cross_entropy(scores, labels[:, 1:][keep])
