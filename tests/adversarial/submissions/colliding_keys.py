"""Answers with tens of thousands of keys that share one hash, before and while it is asked."""

import json
import os
import struct

P = (1 << 61) - 1


def answer(*reply):
    text = json.dumps({"tuple": reply}).encode()
    frame = struct.pack(">II", len(text), 0) + text
    while frame:
        frame = frame[os.write(3, frame) :]


def next_token_loss(*_):
    answer("value", {"dict": [[k * P, 0] for k in range(1, 60_000)]}, {"tuple": [1, 2]})
    return 0.0


def greedy_decode(*_):
    return {k * P: 0 for k in range(1, 60_000)}


answer("done", {"dict": [[k * P, 0] for k in range(1, 60_000)]})
