"""Never returns."""


def next_token_loss(*_):
    while True:
        pass


greedy_decode = next_token_loss
