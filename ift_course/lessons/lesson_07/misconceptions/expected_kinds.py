import math

from ift_course.exercises.misconceptions import misconception, variants


def total(shares, draws, *, kind=lambda p, draws: 1 - (1 - p) ** draws):
    if draws < 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError
    return float(sum(kind(share, draws) for share in shares))


wrong = variants(total)

expected_records = wrong(
    "share × draws is the expected number of records of a kind; a kind that is found often still "
    "counts once.",
    kind=lambda p, draws: p * draws,
)
cut_at_one = wrong(
    "share × draws, capped at 1, is not the probability of finding a kind; even with two expected "
    "records there may be none.",
    kind=lambda p, draws: min(1.0, p * draws),
)
not_all_of_it = wrong(
    "1 − share ** draws is the probability that not *all* records are of the kind; you need the "
    "probability that at least one is.",
    kind=lambda p, draws: 1 - p**draws,
)
lost_kinds = wrong(
    "You count the kinds that are missed; count those that are found.",
    kind=lambda p, draws: (1 - p) ** draws,
)
found_for_certain = wrong(
    "You count a kind as found if one record of it is expected; by chance there may still be none.",
    kind=lambda p, draws: float(p * draws >= 1),
)


@misconception("All kinds are treated as equally frequent; each has its own share.")
def equal_shares(shares, draws):
    n = max(1, len(shares))
    return total(shares, draws, kind=lambda p, draws: 1 - (1 - 1 / n) ** draws)


@misconception("You return the share of kinds; return their number.")
def share_of_kinds(shares, draws):
    return total(shares, draws) / max(1, len(shares))


@misconception("The number is rounded; an expected number need not be an integer.")
def rounded(shares, draws):
    return float(round(total(shares, draws)))


poisson = wrong(
    "1 − e^(−share × draws) is an approximation for rare kinds; (1 − share) ** draws is exact.",
    kind=lambda p, draws: 1 - math.exp(-p * draws),
)


@misconception("Shares that do not add up to 1 are not probabilities; raise a ValueError.")
def made_to_fit(shares, draws):
    if draws < 0 or not shares:
        raise ValueError
    whole = sum(shares)
    return float(sum(1 - (1 - share / whole) ** draws for share in shares))
