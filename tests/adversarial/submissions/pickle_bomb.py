"""Returns, raises and sends objects that run a command when somebody unpickles them."""

import os
import pickle
import struct


class Bomb(Exception):
    def __reduce__(self):
        return os.system, ("touch /tmp/ift-adversarial-bomb",)


def next_token_loss(*_):
    data = pickle.dumps(Bomb())
    os.write(3, struct.pack(">II", len(data), 0) + data)
    raise Bomb


def greedy_decode(*_):
    return Bomb()
