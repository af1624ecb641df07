# ruff: noqa: E501, SIM108
"""Correct solutions in other styles: loops, other dtypes, warnings, prints."""

import math
import warnings

import torch
import torch.nn.functional as F


def lora_forward__linear(x, weight, a, b, alpha):
    return F.linear(x, weight) + F.linear(F.linear(x, a), b) * (alpha / a.shape[0])


def lora_forward__merged(x, weight, a, b, alpha):
    print(x.shape)
    return torch.matmul(x, (weight + alpha / b.shape[1] * torch.matmul(b, a)).transpose(0, 1))


def lora_forward__einsum(x, weight, a, b, alpha):
    warnings.warn("einsum", stacklevel=1)
    plain = torch.einsum("...i,oi->...o", x, weight)
    detour = torch.einsum("...i,ri,or->...o", x, a, b)
    return plain + (detour * alpha) / a.size(0)


def lora_merge__doubles(weight, a, b, alpha):
    exact = weight.double() + (b.double() @ a.double()) * alpha / a.shape[0]
    return exact.to(dtype=weight.dtype)


def lora_merge__sum_of_ranks(weight, a, b, alpha):
    print(weight.dtype)
    rank = b.shape[1]
    merged = weight.to(torch.float32, copy=True)
    for k in range(rank):
        merged += (alpha / rank) * torch.outer(b[:, k].float(), a[k].float())
    return merged.type_as(weight)


def lora_merge__addmm(weight, a, b, alpha):
    warnings.warn("addmm", stacklevel=1)
    return torch.addmm(weight.float(), b.float(), a.float(), alpha=alpha / len(a)).to(weight.dtype)


def quantize__loop(values, levels, block):
    if block <= 0:
        raise ValueError
    numbers, steps = values.float().tolist(), levels.tolist()
    codes, scales = [], []
    for start in range(0, len(numbers), block):
        part = numbers[start : start + block]
        scale = max(map(abs, part))
        scales.append(scale)
        for x in part:
            y = x / scale if scale else 0.0
            codes.append(min(range(len(steps)), key=lambda i: (abs(y - steps[i]), i)))
    return torch.tensor(codes, dtype=torch.uint8), torch.tensor(scales, dtype=torch.float32)


def quantize__padded(values, levels, block):
    print(block)
    if not block > 0:
        raise ValueError("block")
    n = values.numel()
    x = F.pad(values.float(), (0, -n % block)).view(-1, block)
    scales = x.abs().amax(dim=1) if n else torch.zeros(0)
    y = x / torch.where(scales > 0, scales, torch.ones_like(scales)).unsqueeze(1)
    codes = (y.unsqueeze(-1) - levels).abs().min(dim=-1).indices
    return codes.reshape(-1)[:n].to(torch.uint8), scales


def quantize__doubles(values, levels, block):
    warnings.warn("doubles", stacklevel=1)
    if block < 1:
        raise ValueError(block)
    codes = torch.empty(len(values), dtype=torch.uint8)
    scales = torch.zeros(math.ceil(len(values) / block))
    for i in range(len(scales)):
        part = values[i * block : (i + 1) * block].double()
        top = part.abs().max()
        scales[i] = top
        if top == 0:
            top = torch.tensor(1.0).double()
        codes[i * block : (i + 1) * block] = torch.argmin(
            torch.cdist((part / top)[:, None], levels.double()[:, None]), dim=1).to(torch.uint8)  # fmt: skip
    return codes, scales


def training_memory__branches(parameters, adapter, method):
    if method == "full":
        base, trained = 0, parameters
    elif method == "lora":
        base, trained = 2 * parameters, adapter
    elif method == "qlora":
        blocks = (parameters + 63) // 64
        base, trained = (parameters + 1) // 2 + blocks + (blocks + 255) // 256 * 4, adapter
    else:
        raise ValueError(method)
    return {
        "weights": base + trained * 4,
        "gradients": trained * 4,
        "optimizer": trained * 8,
        "total": base + trained * 16,
    }


def training_memory__dict(parameters, adapter, method):
    print(method)

    def ceil(a, b):
        return a // b + (a % b > 0)

    out = {}
    if method in {"full"}:
        out["weights"] = 4 * parameters
        n = parameters
    elif method in {"lora", "qlora"}:
        n = adapter
        out["weights"] = 4 * n
        if method == "lora":
            out["weights"] += parameters + parameters
        else:
            out["weights"] += ceil(parameters, 2) + ceil(parameters, 64)
            out["weights"] += 4 * ceil(ceil(parameters, 64), 256)
    else:
        raise ValueError("method")
    out["gradients"] = 4 * n
    out["optimizer"] = out["gradients"] * 2
    out["total"] = out["weights"] + out["gradients"] + out["optimizer"]
    return out


def training_memory__match(parameters, adapter, method):
    warnings.warn("match", stacklevel=1)
    match method:
        case "full":
            parts = [4 * parameters, 4 * parameters, 8 * parameters]
        case "lora":
            parts = [2 * parameters + 4 * adapter, 4 * adapter, 8 * adapter]
        case "qlora":
            halves, odd = divmod(parameters, 2)
            scales = sum(divmod(parameters + 63, 64)[:1])
            seconds = (scales - 1) // 256 + 1 if scales else 0
            parts = [halves + odd + scales + 4 * seconds + 4 * adapter, 4 * adapter, 8 * adapter]
        case _:
            raise ValueError
    return dict(
        zip(["weights", "gradients", "optimizer", "total"], [*parts, sum(parts)], strict=True)
    )


def choose_settings__divisors(
    static, layers, hidden, vocabulary, length, budget, effective_batch=16
):
    divisors = [d for d in range(1, effective_batch + 1) if effective_batch % d == 0]
    for method in static:
        for checkpointing in [False, True]:
            if checkpointing:
                per_token = layers * 2 * hidden + 34 * hidden
            else:
                per_token = layers * 34 * hidden
            per_token += 8 * vocabulary
            for batch in reversed(divisors):
                memory = static[method] + per_token * batch * length
                if memory <= budget:
                    return dict(method=method, checkpointing=checkpointing, batch=batch,
                                accumulation=effective_batch // batch, bytes=memory)  # fmt: skip


def choose_settings__all_then_best(
    static, layers, hidden, vocabulary, length, budget, effective_batch=16
):
    print(budget)
    methods = list(static)
    options = []
    for i, m in enumerate(methods):
        for c in (0, 1):
            for b in range(1, effective_batch + 1):
                if effective_batch % b:
                    continue
                act = hidden * (2 * layers + 34) if c else 34 * layers * hidden
                total = static[m] + b * length * (act + 8 * vocabulary)
                if total > budget:
                    continue
                options.append((i, c, -b, total))
    if not options:
        return None
    i, c, b, total = min(options)
    return {"bytes": total, "accumulation": effective_batch // -b, "batch": -b,
            "checkpointing": bool(c), "method": methods[i]}  # fmt: skip


def choose_settings__solved(static, layers, hidden, vocabulary, length, budget, effective_batch=16):
    warnings.warn("solved", stacklevel=1)
    for method, fixed in static.items():
        for checkpointing in (False, True):
            one = length * ((2 * hidden * layers + 34 * hidden if checkpointing else 34 * hidden * layers)
                            + 8 * vocabulary)  # fmt: skip
            room = (budget - fixed) // one
            fitting = [
                b for b in range(1, min(room, effective_batch) + 1) if effective_batch % b == 0
            ]
            if fitting:
                batch = max(fitting)
                return {"method": method, "checkpointing": checkpointing, "batch": batch,
                        "accumulation": effective_batch // batch, "bytes": fixed + batch * one}  # fmt: skip
    return None
