"""Raises exceptions that fight back when somebody looks at them."""

import time


class Meta(type):
    @property
    def __name__(cls):
        return "LearnerLost"


class Hostile(BaseException, metaclass=Meta):
    def __str__(self):
        time.sleep(1000)
        return "x"

    __repr__ = __str__


class Loud(Exception):
    def __str__(self):
        return "\x1b[2J\ud800<script>alert(1)</script>" * 100_000


calls = 0


def next_token_loss(*_):
    global calls
    calls += 1
    raise (Hostile if calls == 1 else Loud)()


greedy_decode = next_token_loss
