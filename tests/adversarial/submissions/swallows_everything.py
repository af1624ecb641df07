"""Catches every exception, so that no signal of Python's can stop it."""

import signal

for number in range(1, signal.NSIG):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        continue


def next_token_loss(*_):
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue


greedy_decode = next_token_loss
