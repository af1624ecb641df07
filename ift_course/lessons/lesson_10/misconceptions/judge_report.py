from ift_course.exercises.misconceptions import misconception, variants


def report(first_order, second_order, *, right=None, first=None, same=None, kappa=None):
    if len(first_order) != len(second_order) or not first_order:
        raise ValueError
    pairs, n = list(zip(first_order, second_order, strict=True)), len(first_order)
    is_right = right or (lambda a, b: ((a == "A") + (b == "B")) / 2)
    is_first = first or (lambda a, b: ((a == "A") + (b == "A")) / 2)
    p = sum(is_right(a, b) for a, b in pairs) / n
    return {
        "right": p,
        "first": sum(is_first(a, b) for a, b in pairs) / n,
        "consistent": sum((same or (lambda a, b: a != b))(a, b) for a, b in pairs) / n,
        "kappa": (kappa or (lambda p: 2 * p - 1))(p),
    }


wrong = variants(report)

same_letter_is_consistent = wrong(
    "You call the same letter in both orders consistent, but it names two different answers.",
    same=lambda a, b: a == b,
)
one_order_only = wrong(
    "“right” looks at the first order only; the verdicts of both orders count.",
    right=lambda a, b: a == "A",
)
first_in_one_order = wrong(
    "“first” looks at the first order only; the verdicts of both orders count.",
    first=lambda a, b: a == "A",
)
right_in_both_only = wrong(
    "You count a pair as right only if both verdicts are; count verdicts, not pairs.",
    right=lambda a, b: a == "A" and b == "B",
)
a_is_always_right = wrong(
    "You take A for the right answer in both orders; in the second one it is B.",
    right=lambda a, b: ((a == "A") + (b == "A")) / 2,
)
kappa_is_agreement = wrong(
    "“kappa” is the plain agreement; subtract what chance gives, and divide by what is left.",
    kappa=lambda p: p,
)
kappa_not_divided = wrong(
    "“kappa” is not divided by 1 − c, so that a perfect judge gets only 0.5.",
    kappa=lambda p: p - 0.5,
)
only_right_is_consistent = wrong(
    "You call a pair consistent only if it is right; a judge can be consistently wrong.",
    same=lambda a, b: a == "A" and b == "B",
)


@misconception("Lists of different lengths are cut to the shorter one; raise a ValueError.")
def cut_to_the_shorter(first_order, second_order):
    n = min(len(first_order), len(second_order))
    return report(first_order[:n], second_order[:n])
