"""Returns many different tuples that all have the same hash, and large integers that share one."""


def next_token_loss(*_):
    return [tuple(-1 - (k >> i & 1) for i in range(15)) for k in range(20_000)]


def greedy_decode(*_):
    return [k * ((1 << 61) - 1) for k in range(100_000)]
