from ift_course.exercises.misconceptions import misconception, variants


def keep(
    special, retained, tolerance, patience, *,
    floor=lambda i, retained, tolerance: retained[0] - tolerance,
    better=lambda new, old: new > old, slack=0, in_a_row=True,
    eligible=lambda i, inside: inside, checks=lambda i: i + 1,
):  # fmt: skip
    """Keep the best evaluation in bounds.

    floor: the bound of evaluation i; eligible: whether an evaluation may be kept; checks: the
    number of evaluations, from the index of the last one.
    """
    if not special or len(special) != len(retained) or tolerance < 0 or patience < 1:
        raise ValueError
    best, outside = 0, 0
    for i in range(len(special)):
        inside = retained[i] >= floor(i, retained, tolerance) - slack
        if not inside:
            outside += 1
        elif in_a_row:
            outside = 0
        if eligible(i, inside) and better(special[i], special[best]):
            best = i
        if not inside and outside == patience:
            return best, checks(i)
    return best, len(special)


wrong = variants(keep)

out_of_bounds_kept = wrong(
    "A checkpoint out of bounds may be kept if it is good at the new task; that should not happen.",
    eligible=lambda i, inside: True,
)
last_in_bounds = wrong(
    "The last checkpoint in bounds is kept; keep the one that is best at the new task.",
    better=lambda new, old: True,
)
latest_of_equals = wrong(
    "Among equal special scores you keep the latest; the earliest has cost less.",
    better=lambda new, old: new >= old,
)
counted_in_all = wrong(
    "All evaluations out of bounds are counted; only those in a row count, and one in bounds "
    "resets the count.",
    in_a_row=False,
)
compared_with_the_one_before = wrong(
    "Each score is compared with the one before, so a slow decline is never noticed; compare with "
    "the first.",
    floor=lambda i, retained, tolerance: retained[max(i - 1, 0)] - tolerance,
)
compared_with_the_best = wrong(
    "Each score is compared with the best retained score so far; compare with the first, before "
    "training.",
    floor=lambda i, retained, tolerance: max(retained[: i + 1]) - tolerance,
)
last_look_not_counted = wrong(
    "The number of evaluations is one too small; the one that ended training counts, too.",
    checks=lambda i: i,
)


@misconception(
    "Only the new task decides when to stop, as in ordinary early stopping; watch the retained "
    "score."
)
def ordinary_early_stopping(special, retained, tolerance, patience):
    if not special or len(special) != len(retained) or tolerance < 0 or patience < 1:
        raise ValueError
    best, waiting = 0, 0
    for i in range(1, len(special)):
        if special[i] > special[best]:
            best, waiting = i, 0
        else:
            waiting += 1
            if waiting == patience:
                return best, i + 1
    return best, len(special)


on_the_bound_refused = wrong(
    "You refuse a loss of exactly the tolerance; “at least” includes the bound.", slack=-1
)
relative_tolerance = wrong(
    "You use the tolerance as a percentage of the first score; it is a number of answers.",
    floor=lambda i, retained, tolerance: retained[0] * (1 - tolerance / 100),
)


@misconception(
    "The first checkpoint is left out; if training only makes things worse, it is the best."
)
def first_look_never_kept(special, retained, tolerance, patience):
    best, count = keep(special, retained, tolerance, patience)
    inside = [i for i in range(1, count) if retained[i] >= retained[0] - tolerance]
    if best == 0 and inside:
        best = max(inside, key=lambda i: (special[i], -i))
    return best, count


@misconception(
    "Your patience is one too long: training stops *at* that evaluation, not after one more."
)
def one_look_too_many(special, retained, tolerance, patience):
    return keep(special, retained, tolerance, patience + 1)


@misconception(
    "Training never stops, and a later checkpoint is kept that would not exist; stop when patience "
    "runs out."
)
def never_stops(special, retained, tolerance, patience):
    if patience < 1:
        raise ValueError
    return keep(special, retained, tolerance, len(special) + 1)
