"""Returns and sends what is nested deeper than any recursion can follow."""

import os
import struct

calls = 0


def next_token_loss(*_):
    text = b"[" * 1_000_000
    os.write(3, struct.pack(">II", len(text), 0))
    for start in range(0, len(text), 1000):
        os.write(3, text[start : start + 1000])


def greedy_decode(*_):
    value = []
    for _ in range(100_000):
        value = [value]
    return value
