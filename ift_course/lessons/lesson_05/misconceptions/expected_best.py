import math
import random

from ift_course.exercises.misconceptions import misconception


def weighted(rewards, n, weight, *, order=sorted):
    if not 1 <= n <= len(rewards):
        raise ValueError
    return sum(reward * weight(i, len(rewards)) for i, reward in enumerate(order(rewards)))


@misconception("This is the highest of all rewards; best-of-n sees only n of them.")
def highest_of_all(rewards, n):
    if not 1 <= n <= len(rewards):
        raise ValueError
    return max(rewards)


@misconception("Only the first n answers are looked at; go over all choices of n.")
def best_of_the_first(rewards, n):
    if not 1 <= n <= len(rewards):
        raise ValueError
    return max(rewards[:n])


@misconception(
    "The rewards are cut into groups of n, which wastes most choices and depends on the order."
)
def mean_over_groups(rewards, n):
    if not 1 <= n <= len(rewards):
        raise ValueError
    groups = [rewards[i : i + n] for i in range(0, len(rewards) - n + 1, n)]
    return sum(map(max, groups)) / len(groups)


@misconception(
    "An answer may be drawn several times for you (i / N to the power of n); the n answers are "
    "different ones."
)
def drawn_with_replacement(rewards, n):
    return weighted(rewards, n, lambda i, size: ((i + 1) / size) ** n - (i / size) ** n)


@misconception("The rewards are not sorted, so a place says nothing about who is the best.")
def not_sorted(rewards, n):
    return weighted(
        rewards, n, lambda i, size: math.comb(i, n - 1) / math.comb(size, n), order=list
    )


@misconception("They are sorted the wrong way, so this is the expected worst of n.")
def expected_worst(rewards, n):
    def falling(values):
        return sorted(values, reverse=True)

    return weighted(
        rewards, n, lambda i, size: math.comb(i, n - 1) / math.comb(size, n), order=falling
    )


@misconception("n − 1 others are chosen beside the best one, not n; use math.comb(i, n - 1).")
def one_too_many_others(rewards, n):
    return weighted(rewards, n, lambda i, size: math.comb(i, n) / math.comb(size, n))


@misconception("The places count from 0: there are i answers before place i, not i + 1.")
def places_from_one(rewards, n):
    return weighted(rewards, n, lambda i, size: math.comb(i + 1, n - 1) / math.comb(size, n))


@misconception("The sum is not divided by the number of choices, math.comb(N, n).")
def not_divided(rewards, n):
    return weighted(rewards, n, lambda i, size: math.comb(i, n - 1))


@misconception("Equal rewards are counted once; they are different answers.")
def equals_counted_once(rewards, n):
    if not 1 <= n <= len(rewards):
        raise ValueError
    return weighted(
        sorted(set(rewards)),
        min(n, len(set(rewards))),
        lambda i, size: math.comb(i, min(n, size) - 1) / math.comb(size, min(n, size)),
    )


@misconception("This is an estimate from random draws; it can be computed exactly.")
def random_draws(rewards, n):
    if not 1 <= n <= len(rewards):
        raise ValueError
    rng = random.Random(0)
    return sum(max(rng.sample(rewards, n)) for _ in range(200)) / 200


@misconception(
    "An n that is larger than the number of answers should be refused with a ValueError."
)
def large_n_accepted(rewards, n):
    if n < 1 or not rewards:
        raise ValueError
    n = min(n, len(rewards))
    return weighted(rewards, n, lambda i, size: math.comb(i, n - 1) / math.comb(size, n))


@misconception("The caller's list is sorted in place; use `sorted`, which makes a new one.")
def list_sorted_in_place(rewards, n):
    found = weighted(rewards, n, lambda i, size: math.comb(i, n - 1) / math.comb(size, n))
    rewards.sort()
    return found
