import math

from ift_course.exercises.misconceptions import misconception


def total(shares, draws, kind):
    if draws < 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError
    return float(sum(kind(share) for share in shares))


@misconception(
    "share × draws is how many records of a kind one expects; a kind that is found often still "
    "counts once."
)
def expected_records(shares, draws):
    return total(shares, draws, lambda p: p * draws)


@misconception(
    "share × draws, cut at 1, is not the probability to find a kind; even an expected two may be "
    "none."
)
def cut_at_one(shares, draws):
    return total(shares, draws, lambda p: min(1.0, p * draws))


@misconception(
    "1 − share ** draws is the probability that not *all* records are of the kind; you need that "
    "not none is."
)
def not_all_of_it(shares, draws):
    return total(shares, draws, lambda p: 1 - p**draws)


@misconception("The kinds that are lost are counted; those that are found are asked for.")
def lost_kinds(shares, draws):
    return total(shares, draws, lambda p: (1 - p) ** draws)


@misconception(
    "A kind counts as found if one record of it is expected; even then it may by chance be absent."
)
def found_for_certain(shares, draws):
    return total(shares, draws, lambda p: float(p * draws >= 1))


@misconception("All kinds count as equally frequent; each has its own share.")
def equal_shares(shares, draws):
    n = max(1, len(shares))
    return total(shares, draws, lambda p: 1 - (1 - 1 / n) ** draws)


@misconception("The share of kinds is returned; their number is asked for.")
def share_of_kinds(shares, draws):
    return total(shares, draws, lambda p: 1 - (1 - p) ** draws) / max(1, len(shares))


@misconception("The number is rounded; an expected number need not be whole.")
def rounded(shares, draws):
    return float(round(total(shares, draws, lambda p: 1 - (1 - p) ** draws)))


@misconception(
    "1 − e^(−share × draws) is only near, and only for rare kinds; (1 − share) ** draws is exact."
)
def poisson(shares, draws):
    return total(shares, draws, lambda p: 1 - math.exp(-p * draws))


@misconception("Shares that do not add up to 1 are no probabilities; raise a ValueError.")
def made_to_fit(shares, draws):
    if draws < 0 or not shares:
        raise ValueError
    whole = sum(shares)
    return float(sum(1 - (1 - share / whole) ** draws for share in shares))
