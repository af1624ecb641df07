# ruff: noqa: RUF005, RUF017, SIM201 (other people's styles)
"""Correct solutions in other styles: loops, other dtypes, warnings, prints."""

import itertools
import re
import warnings

import numpy as np
import torch

ROLES = dict(system="system", human="user", user="user", gpt="assistant", chatgpt="assistant")


def adapt_sharegpt__groupby(row):
    pairs = []
    for turn in row["conversations"]:
        try:
            pairs.append((ROLES[turn["from"]], turn["value"].strip()))
        except KeyError:
            raise ValueError(turn) from None
    while True:
        questions = [i for i, (role, _) in enumerate(pairs) if role == "user"]
        first = questions[0] if questions else len(pairs)
        break
    pairs = [p for i, p in enumerate(pairs) if p[0] != "assistant" or i > first]
    answers = [i for i, (role, _) in enumerate(pairs) if role == "assistant"]
    pairs = pairs[: answers[-1] + 1] if answers else []
    return [{"role": role, "content": "\n\n".join(text for _, text in group)}
            for role, group in itertools.groupby(pairs, key=lambda p: p[0])]  # fmt: skip


def adapt_sharegpt__phases(row):
    print(len(row["conversations"]))
    turns = [dict(role=ROLES.get(x["from"]), content=x["value"].strip())
             for x in row["conversations"]]  # fmt: skip
    if None in [x["role"] for x in turns]:
        raise ValueError("unknown")
    question_seen, from_question = False, []
    for turn in turns:
        question_seen |= turn["role"] == "user"
        if question_seen or turn["role"] != "assistant":
            from_question.append(turn)
    merged = []
    for turn in from_question:
        if merged and merged[-1]["role"] == turn["role"]:
            merged[-1] = dict(turn, content=f"{merged[-1]['content']}\n\n{turn['content']}")
        else:
            merged += [turn]
    for i in reversed(range(len(merged))):
        if merged[i]["role"] == "assistant":
            return merged[: i + 1]
    return []


def adapt_sharegpt__match(row):
    warnings.warn("match", stacklevel=1)
    messages = []
    for turn in row["conversations"]:
        match turn["from"]:
            case "human" | "user":
                role = "user"
            case "gpt" | "chatgpt":
                role = "assistant"
                if not any(m["role"] == "user" for m in messages):
                    continue
            case "system":
                role = "system"
            case _:
                raise ValueError
        text = turn["value"].strip()
        if messages and messages[-1]["role"] == role:
            text = messages.pop()["content"] + "\n\n" + text
        messages.append({"role": role, "content": text})
    while messages and not messages[-1]["role"] == "assistant":
        del messages[-1]
    return messages


def render_chatml__join(messages, add_generation_prompt=False):
    if any(mark in m["content"] for m in messages for mark in ("<|im_start|>", "<|im_end|>")):
        raise ValueError
    turns = ["<|im_start|>" + m["role"] + "\n" + m["content"] + "<|im_end|>\n" for m in messages]
    return "".join(turns + ["<|im_start|>assistant\n"] * add_generation_prompt)


def render_chatml__jinja(messages, add_generation_prompt=False):
    from jinja2 import Template

    print("jinja")
    for m in messages:
        if {"<|im_start|>", "<|im_end|>"} & set(re.findall(r"<\|\w+\|>", m["content"])):
            raise ValueError(m["content"])
    return Template(
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if more %}<|im_start|>assistant\n{% endif %}",
        keep_trailing_newline=True,
    ).render(messages=messages, more=add_generation_prompt)


def render_chatml__parts(messages, add_generation_prompt=False):
    warnings.warn("parts", stacklevel=1)
    parts = []
    for message in messages:
        for mark in ["<|im_end|>", "<|im_start|>"]:
            if message["content"].find(mark) >= 0:
                raise ValueError(mark)
        parts.extend(
            ["<|im_start|>", message["role"], "\n", message["content"], "<|im_end|>", "\n"]
        )
    if add_generation_prompt:
        parts.append("<|im_start|>assistant\n")
    return "".join(parts)


def response_labels__spans(input_ids, start, end, assistant):
    labels = [-100] * len(input_ids)
    i = 0
    while i < len(input_ids):
        if input_ids[i : i + 2] == [start, assistant]:
            i += 3
            while i < len(input_ids):
                labels[i] = input_ids[i]
                if input_ids[i] == end:
                    break
                i += 1
        i += 1
    return labels


def response_labels__numpy(input_ids, start, end, assistant):
    ids = np.array(input_ids, dtype=np.int64)
    labels = np.full_like(ids, -100)
    print(ids)
    for i in np.flatnonzero((ids[:-1] == start) & (ids[1:] == assistant)) + 3:
        ends = np.flatnonzero(ids[i:] == end)
        stop = i + ends[0] + 1 if len(ends) else len(ids)
        labels[i:stop] = ids[i:stop]
    return labels.tolist()


def response_labels__torch(input_ids, start, end, assistant):
    warnings.warn("torch", stacklevel=1)
    out = []
    state = "outside"
    for i in range(len(input_ids)):
        token = input_ids[i]
        out.append(token if state == "answer" else -100)
        if state == "answer" and token == end:
            state = "outside"
        elif i >= 2 and input_ids[i - 2] == start and input_ids[i - 1] == assistant:
            state = "answer"
    return torch.tensor(out, dtype=torch.long).tolist()


def collate__full(rows, pad_token_id, multiple_of=1):
    if len(rows) == 0:
        raise ValueError
    n = max(len(r["input_ids"]) for r in rows)
    while n % multiple_of:
        n += 1
    ids = torch.full((len(rows), n), pad_token_id)
    labels = torch.full((len(rows), n), -100)
    mask = torch.zeros((len(rows), n), dtype=torch.long)
    for i, row in enumerate(rows):
        k = len(row["input_ids"])
        ids[i, :k] = torch.tensor(row["input_ids"])
        labels[i, :k] = torch.tensor(row["labels"])
        mask[i, :k] = 1
    return {"attention_mask": mask, "labels": labels, "input_ids": ids}


def collate__pad_sequence(rows, pad_token_id, multiple_of=1):
    from torch.nn.utils.rnn import pad_sequence

    print(len(rows))
    if not rows:
        raise ValueError("no rows")

    def padded(name, fill):
        padded = pad_sequence([torch.tensor(r[name]) for r in rows], True, fill)
        return torch.nn.functional.pad(padded, (0, -padded.shape[1] % multiple_of), value=fill)

    ones = [{"m": [1] * len(r["input_ids"])} for r in rows]
    ids, labels = padded("input_ids", pad_token_id), padded("labels", -100)
    rows = ones
    return {"input_ids": ids, "labels": labels, "attention_mask": padded("m", 0)}


def collate__numpy(rows, pad_token_id, multiple_of=1):
    warnings.warn("numpy", stacklevel=1)
    if rows == []:
        raise ValueError
    lengths = np.array([len(r["input_ids"]) for r in rows])
    width = int(np.ceil(lengths.max() / multiple_of)) * multiple_of
    mask = np.arange(width) < lengths[:, None]
    ids = np.full(mask.shape, pad_token_id)
    labels = np.full(mask.shape, -100)
    ids[mask] = np.concatenate([r["input_ids"] for r in rows])
    labels[mask] = np.concatenate([r["labels"] for r in rows])
    return {"input_ids": ids, "labels": labels, "attention_mask": mask.astype(np.int64)}


def pack__two_steps(rows, capacity):
    lengths = [len(r["input_ids"]) for r in rows]
    if any(n == 0 or n > capacity for n in lengths):
        raise ValueError
    bins, room = [], []
    for item in sorted(range(len(rows)), key=lambda i: (-lengths[i], i)):
        candidates = [b for b in range(len(bins)) if room[b] >= lengths[item]]
        if candidates:
            best = min(candidates, key=lambda b: (room[b], b))
        else:
            bins.append([])
            room.append(capacity)
            best = len(bins) - 1
        bins[best].append(item)
        room[best] -= lengths[item]
    return [{
        "input_ids": [t for i in items for t in rows[i]["input_ids"]],
        "labels": [t for i in items for t in [-100, *rows[i]["labels"][1:]]],
        "position_ids": [p for i in items for p in range(lengths[i])],
    } for items in bins]  # fmt: skip


def pack__by_index(rows, capacity):
    print("packing", len(rows))
    order = list(range(len(rows)))
    order.sort(key=lambda i: len(rows[i]["input_ids"]), reverse=True)
    out = []
    for i in order:
        ids, labels = list(rows[i]["input_ids"]), list(rows[i]["labels"])
        if len(ids) > capacity or len(ids) < 1:
            raise ValueError(i)
        labels[0] = -100
        best = None
        for row in out:
            room = capacity - len(row["input_ids"])
            if room >= len(ids) and (best is None or room < capacity - len(best["input_ids"])):
                best = row
        if best is None:
            best = dict(input_ids=[], labels=[], position_ids=[])
            out.append(best)
        best["input_ids"].extend(ids)
        best["labels"].extend(labels)
        best["position_ids"].extend(list(range(len(ids))))
    return out


def pack__library(rows, capacity):
    from ift_course.from_scratch.packing import best_fit_decreasing

    warnings.warn("by hand again", stacklevel=1)
    if any(not 1 <= len(r["input_ids"]) <= capacity for r in rows):
        raise ValueError
    assert best_fit_decreasing
    bins = []
    for row in sorted(rows, key=lambda r: len(r["labels"]), reverse=True):
        n = len(row["labels"])
        fits = sorted((capacity - sum(map(len, b)), k) for k, b in enumerate(
            [[r["labels"] for r in one] for one in bins]))  # fmt: skip
        place = next((k for room, k in fits if room >= n), None)
        if place is None:
            bins.append([row])
        else:
            bins[place].append(row)
    return [{
        "input_ids": sum((r["input_ids"] for r in one), []),
        "labels": sum(([-100] + r["labels"][1:] for r in one), []),
        "position_ids": sum((list(range(len(r["labels"]))) for r in one), []),
    } for one in bins]  # fmt: skip


def find_faults__flags(input_ids, labels, attention_mask, end):
    padding = nothing = prompt = ending = shifted = False
    for ids, row_labels, seen in zip(input_ids, labels, attention_mask, strict=True):
        first = next((i for i, x in enumerate(row_labels) if x != -100), None)
        padding |= any(x != -100 and not s for x, s in zip(row_labels, seen, strict=True))
        nothing |= first is None
        if first is not None:
            prompt |= first == 0
            ending |= end in ids[first:] and end not in row_labels
            shifted |= any(x not in (-100, i) for x, i in zip(row_labels, ids, strict=True))
    flags = {"padding trained": padding, "nothing trained": nothing, "prompt trained": prompt,
             "end not trained": ending, "labels shifted": shifted}  # fmt: skip
    return [name for name, has_fault in flags.items() if has_fault]


def find_faults__numpy(input_ids, labels, attention_mask, end):
    print(len(labels))
    has_fault = [False] * 5
    for row in zip(input_ids, labels, attention_mask, strict=True):
        ids, row_labels, seen = map(np.array, row)
        on = row_labels != -100
        has_fault[0] |= bool((on & (seen == 0)).any())
        has_fault[1] |= not on.any()
        if on.any():
            has_fault[2] |= bool(on[0])
            has_fault[3] |= bool(
                (ids[on.argmax() :] == end).any() and not (row_labels == end).any()
            )
            has_fault[4] |= bool((row_labels[on] != ids[on]).any())
    names = ["padding trained", "nothing trained", "prompt trained", "end not trained",
             "labels shifted"]  # fmt: skip
    return [n for n, f in zip(names, has_fault, strict=True) if f]


def find_faults__rules(input_ids, labels, attention_mask, end):
    warnings.warn("rules", stacklevel=1)

    def on(w):
        return [i for i in range(len(w)) if w[i] != -100]

    rows = list(zip(input_ids, labels, attention_mask, strict=True))
    rules = [
        ("padding trained", lambda x, w, a: any(a[i] == 0 for i in on(w))),
        ("nothing trained", lambda x, w, a: on(w) == []),
        ("prompt trained", lambda x, w, a: w[0] != -100),
        (
            "end not trained",
            lambda x, w, a: bool(on(w)) and end in x[min(on(w)) :] and end not in w,
        ),
        ("labels shifted", lambda x, w, a: [w[i] for i in on(w)] != [x[i] for i in on(w)]),
    ]
    return [name for name, rule in rules if any(rule(*row) for row in rows)]


def completion_rows__loop(messages):
    rows, history, asked = [], [], False
    for message in messages:
        role = message["role"]
        if role not in {"system", "user", "assistant"}:
            raise ValueError(role)
        if role == "assistant" and asked and message["content"].strip():
            rows.append({"prompt": list(history), "completion": [dict(message)]})
        asked = asked or role == "user"
        history.append(dict(message))
    return rows


def completion_rows__slices(messages):
    roles = [message["role"] for message in messages]
    if set(roles) - {"system", "user", "assistant"}:
        raise ValueError("a role that no template knows")
    return [
        {"prompt": messages[:i], "completion": messages[i : i + 1]}
        for i, role in enumerate(roles)
        if role == "assistant" and "user" in roles[:i] and messages[i]["content"].split()
    ]


def completion_rows__backwards(messages):
    import copy

    remaining, rows = copy.deepcopy(messages), []
    for message in remaining:
        if message["role"] not in ("system", "user", "assistant"):
            raise ValueError(f"unknown role {message['role']!r}")
    while remaining:
        last = remaining.pop()
        asked = [x for x in remaining if x["role"] == "user"]
        says_something = last["content"] and not last["content"].isspace()
        if last["role"] == "assistant" and asked and says_something:
            rows.insert(0, {"prompt": copy.deepcopy(remaining), "completion": [last]})
    return rows
