import math
import random

from ift_course.exercises.misconceptions import misconception, variants


def share(i, size, n):
    """The share of all choices of n in which place i is the best."""
    return math.comb(i, n - 1) / math.comb(size, n)


def weighted(rewards, n, *, weight=share, order=sorted):
    if not 1 <= n <= len(rewards):
        raise ValueError
    return sum(reward * weight(i, len(rewards), n) for i, reward in enumerate(order(rewards)))


@misconception("This is the highest of all rewards; best-of-n sees only n of them.")
def highest_of_all(rewards, n):
    if not 1 <= n <= len(rewards):
        raise ValueError
    return max(rewards)


@misconception("Only the first n answers are used; average over all choices of n.")
def best_of_the_first(rewards, n):
    if not 1 <= n <= len(rewards):
        raise ValueError
    return max(rewards[:n])


@misconception(
    "The rewards are cut into groups of n, which ignores most choices and depends on the order."
)
def mean_over_groups(rewards, n):
    if not 1 <= n <= len(rewards):
        raise ValueError
    groups = [rewards[i : i + n] for i in range(0, len(rewards) - n + 1, n)]
    return sum(map(max, groups)) / len(groups)


wrong = variants(weighted)

drawn_with_replacement = wrong(
    "An answer may be drawn more than once in your formula (i / N to the power of n); the n "
    "answers are different.",
    weight=lambda i, size, n: ((i + 1) / size) ** n - (i / size) ** n,
)
not_sorted = wrong(
    "The rewards are not sorted, so a position says nothing about which one is the best.",
    order=list,
)
expected_worst = wrong(
    "The rewards are sorted the wrong way, so this is the expected worst of n.",
    order=lambda values: sorted(values, reverse=True),
)
one_too_many_others = wrong(
    "n − 1 others are chosen besides the best one, not n; use math.comb(i, n - 1).",
    weight=lambda i, size, n: math.comb(i, n) / math.comb(size, n),
)
places_from_one = wrong(
    "Positions count from 0: there are i answers before position i, not i + 1.",
    weight=lambda i, size, n: math.comb(i + 1, n - 1) / math.comb(size, n),
)
not_divided = wrong(
    "The sum is not divided by the number of choices, math.comb(N, n).",
    weight=lambda i, size, n: math.comb(i, n - 1),
)


@misconception("Equal rewards are counted once; they are different answers.")
def equals_counted_once(rewards, n):
    if not 1 <= n <= len(rewards):
        raise ValueError
    return weighted(sorted(set(rewards)), min(n, len(set(rewards))))


@misconception("This is an estimate from random draws; compute it exactly.")
def random_draws(rewards, n):
    if not 1 <= n <= len(rewards):
        raise ValueError
    rng = random.Random(0)
    return sum(max(rng.sample(rewards, n)) for _ in range(200)) / 200


@misconception("An n larger than the number of answers should be refused with a ValueError.")
def large_n_accepted(rewards, n):
    if n < 1 or not rewards:
        raise ValueError
    n = min(n, len(rewards))
    return weighted(rewards, n)


@misconception("The caller's list is sorted in place; use `sorted`, which returns a new list.")
def list_sorted_in_place(rewards, n):
    mean = weighted(rewards, n)
    rewards.sort()
    return mean
