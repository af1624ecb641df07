"""Prints without end."""

import os


def next_token_loss(*_):
    for _ in range(200_000):
        print("x" * 1000)
        os.write(2, b"y" * 1000)
    return 0


greedy_decode = next_token_loss
