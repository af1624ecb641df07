from math import comb

from ift_course.exercises.misconceptions import misconception, variants


def two_sided(m, b):
    return 2 * sum(comb(m, k) for k in range(min(b, m - b) + 1)) / 2**m


def compute(n, only_a, only_b, level=0.05, *, p=two_sided, found=None, ways=True, refuse=True):
    neither = 1 - only_a - only_b
    if refuse and min(only_a, only_b, neither) < 0:
        raise ValueError
    total = 0.0
    for m in range(n + 1):
        for b in range(m + 1):
            if (found or (lambda p, level: p < level))(p(m, b), level):
                orders = comb(n, m) * comb(m, b) if ways else comb(m, b)
                total += orders * only_b**b * only_a ** (m - b) * neither ** (n - m)
    return total


wrong = variants(compute)

one_sided = wrong(
    "The p-value is not doubled, so that the test is one-sided; A may be the better one, too.",
    p=lambda m, b: two_sided(m, b) / 2,
)
only_b_better = wrong(
    "Only b of m or more heads count; take the smaller of b and m − b.",
    p=lambda m, b: 2 * sum(comb(m, k) for k in range(b, m + 1)) / 2**m,
)
exactly_b = wrong(
    "You take the probability of exactly that many heads; add those of fewer heads.",
    p=lambda m, b: 2 * comb(m, min(b, m - b)) / 2**m,
)
fewer_than_b = wrong(
    "You leave out the number of heads itself; “at most” includes it.",
    p=lambda m, b: 2 * sum(comb(m, k) for k in range(min(b, m - b))) / 2**m,
)
equal_counts = wrong(
    "A p-value equal to the level counts as found in your version; it has to be below.",
    found=lambda p, level: p <= level,
)
missed_instead = wrong(
    "This is the probability that the difference is missed; power is that it is found.",
    found=lambda p, level: p >= level,
)
orders_forgotten = wrong(
    "C(n, m) is missing: any m of the n questions may tell the models apart.", ways=False
)
nothing_refused = wrong(
    "Numbers that are no probabilities give an answer; raise a ValueError.", refuse=False
)


@misconception("The level is not used; it is always 5 %.")
def level_ignored(n, only_a, only_b, level=0.05):
    return compute(n, only_a, only_b)


@misconception("You count only questions that tell the models apart; in most tests m is below n.")
def all_questions_decide(n, only_a, only_b, level=0.05):
    if min(only_a, only_b, 1 - only_a - only_b) < 0:
        raise ValueError
    both = only_a + only_b
    return compute(n, only_a / both, 1 - only_a / both, level) if both else 0.0
