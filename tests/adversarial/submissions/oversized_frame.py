"""Announces frames of four gigabytes, and keeps sending."""

import os
import struct


def next_token_loss(*_):
    os.write(3, struct.pack(">II", 2**32 - 1, 2**32 - 1) + b"[" * 100_000)
    while True:
        os.write(3, b"[" * 100_000)


greedy_decode = next_token_loss
