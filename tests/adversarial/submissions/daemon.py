"""Leaves a process behind, in a session of its own, that would go on after the grading."""

import os
import time


def next_token_loss(*_):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp("sleep", ["ift-adversarial-daemon", "1000"])
            time.sleep(1000)
        os._exit(0)
    return 0


greedy_decode = next_token_loss
