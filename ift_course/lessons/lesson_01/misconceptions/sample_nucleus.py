import torch

from ift_course.exercises.misconceptions import misconception


def sample(logits, top_p, temperature, u, *, keep=None, renormalize=True, refuse=True):
    if refuse and (temperature <= 0 or not 0 < top_p <= 1):
        raise ValueError
    p, ids = (logits.double() / temperature).softmax(-1).sort(descending=True, stable=True)
    inside = (keep or (lambda p, running: running - p < top_p))(p, p.cumsum(0))
    nucleus = p[inside]
    running = nucleus.cumsum(0) / (nucleus.sum() if renormalize else 1)
    return int(ids[min(int((running <= u).sum()), len(nucleus) - 1)])


@misconception(
    "The token that crosses top_p is left out, so the nucleus has less than top_p; include it."
)
def crossing_token_left_out(logits, top_p, temperature, u):
    def keep(p, running):
        inside = running <= top_p
        inside[0] = True
        return inside

    return sample(logits, top_p, temperature, u, keep=keep)


@misconception(
    "When the likeliest token alone is above top_p, your nucleus is empty; at least one token "
    "must stay."
)
def empty_nucleus(logits, top_p, temperature, u):
    if temperature <= 0 or not 0 < top_p <= 1:
        raise ValueError
    p, ids = (logits.double() / temperature).softmax(-1).sort(descending=True, stable=True)
    nucleus = p[p.cumsum(0) <= top_p]
    running = nucleus.cumsum(0) / nucleus.sum()
    return int(ids[: len(nucleus)][int((running <= u).sum())])


@misconception(
    "The probabilities in the nucleus do not sum to 1, so the last token gets everything that is "
    "missing."
)
def not_renormalized(logits, top_p, temperature, u):
    return sample(logits, top_p, temperature, u, renormalize=False)


@misconception("top_p is compared with single probabilities; compare it with their running sum.")
def threshold_on_single_tokens(logits, top_p, temperature, u):
    def keep(p, running):
        inside = p >= 1 - top_p
        inside[0] = True
        return inside

    return sample(logits, top_p, temperature, u, keep=keep)


@misconception("The temperature multiplies the scores; it should divide them.")
def temperature_multiplied(logits, top_p, temperature, u):
    if temperature <= 0:
        raise ValueError
    return sample(logits, top_p, 1 / temperature, u)


@misconception("The temperature is not used.")
def temperature_ignored(logits, top_p, temperature, u):
    if temperature <= 0:
        raise ValueError
    return sample(logits, top_p, 1.0, u)


@misconception(
    "The nucleus consists of the first tokens of the vocabulary, because the probabilities are "
    "not sorted."
)
def not_sorted(logits, top_p, temperature, u):
    if temperature <= 0 or not 0 < top_p <= 1:
        raise ValueError
    p = (logits.double() / temperature).softmax(-1)
    nucleus = p[p.cumsum(0) - p < top_p]
    running = nucleus.cumsum(0) / nucleus.sum()
    return min(int((running <= u).sum()), len(nucleus) - 1)


@misconception("You return a position in the sorted list; return the token id at that position.")
def rank_returned(logits, top_p, temperature, u):
    chosen = sample(logits, top_p, temperature, u)
    order = logits.sort(descending=True, stable=True).indices.tolist()
    return order.index(chosen)


@misconception("A temperature of 0 and an impossible top_p should be refused with a ValueError.")
def nothing_refused(logits, top_p, temperature, u):
    if temperature == 0:
        return int(logits.argmax())
    return sample(logits, max(top_p, 1e-9), temperature, u, refuse=False)


@misconception("The likeliest token is always taken, which is greedy decoding; u should decide.")
def greedy(logits, top_p, temperature, u):
    if temperature <= 0 or not 0 < top_p <= 1:
        raise ValueError
    return int(torch.argmax(logits))
