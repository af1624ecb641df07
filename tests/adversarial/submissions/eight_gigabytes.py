"""Takes memory until there is no more."""

hoard = []


def next_token_loss(*_):
    for _ in range(80):
        hoard.append(bytearray(100 << 20))
    return 0.0


greedy_decode = next_token_loss
