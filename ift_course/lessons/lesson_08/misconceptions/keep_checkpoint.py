from ift_course.exercises.misconceptions import misconception


def keep(special, retained, tolerance, patience, *, floor=None, better=None, slack=0,
         in_a_row=True, eligible=None, taken=None):  # fmt: skip
    """floor: of look i; eligible: whether a look may be kept; taken: from the last index."""
    if not special or len(special) != len(retained) or tolerance < 0 or patience < 1:
        raise ValueError
    floor = floor or (lambda i: retained[0] - tolerance)
    better = better or (lambda new, old: new > old)
    kept, outside = 0, 0
    for i in range(len(special)):
        inside = retained[i] >= floor(i) - slack
        if not inside:
            outside += 1
        elif in_a_row:
            outside = 0
        may = inside if eligible is None else eligible(i, inside)
        if may and better(special[i], special[kept]):
            kept = i
        if not inside and outside == patience:
            return kept, (taken or (lambda i: i + 1))(i)
    return kept, len(special)


@misconception(
    "Looks out of bounds may be kept, if they are good at the new task; that is what should not "
    "happen."
)
def out_of_bounds_kept(special, retained, tolerance, patience):
    return keep(special, retained, tolerance, patience, eligible=lambda i, inside: True)


@misconception("The last look in bounds is kept; keep the best of them at the new task.")
def last_in_bounds(special, retained, tolerance, patience):
    return keep(special, retained, tolerance, patience, better=lambda new, old: True)


@misconception("Of equal special scores the latest look is kept; the earliest has cost less.")
def latest_of_equals(special, retained, tolerance, patience):
    return keep(special, retained, tolerance, patience, better=lambda new, old: new >= old)


@misconception(
    "All looks out of bounds are counted; only those in a row count, and one in bounds starts anew."
)
def counted_in_all(special, retained, tolerance, patience):
    return keep(special, retained, tolerance, patience, in_a_row=False)


@misconception(
    "Each look is compared with the one before, so a slow decline is never noticed; compare with "
    "the first."
)
def compared_with_the_one_before(special, retained, tolerance, patience):
    return keep(
        special, retained, tolerance, patience, floor=lambda i: retained[max(i - 1, 0)] - tolerance
    )


@misconception(
    "Each look is compared with the best retained score so far; compare with the first, before "
    "training."
)
def compared_with_the_best(special, retained, tolerance, patience):
    return keep(
        special, retained, tolerance, patience, floor=lambda i: max(retained[: i + 1]) - tolerance
    )


@misconception("Patience is one too long: training stops *at* that look, not after one more.")
def one_look_too_many(special, retained, tolerance, patience):
    return keep(special, retained, tolerance, patience + 1)


@misconception("The number of looks is one too small; the look that ended it was taken too.")
def last_look_not_counted(special, retained, tolerance, patience):
    return keep(special, retained, tolerance, patience, taken=lambda i: i)


@misconception(
    "Training never stops, and looks are kept that would not have been taken; stop when patience is"
    " over."
)
def never_stops(special, retained, tolerance, patience):
    if patience < 1:
        raise ValueError
    return keep(special, retained, tolerance, len(special) + 1)


@misconception(
    "The new task alone decides when to stop, as in ordinary early stopping; the retained score is "
    "to be watched."
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


@misconception(
    "What is lost just as much as is tolerated is refused; “at least” includes the bound."
)
def on_the_bound_refused(special, retained, tolerance, patience):
    return keep(special, retained, tolerance, patience, slack=-1)


@misconception(
    "The tolerance is taken as a percentage of the first score; it is a number of answers."
)
def relative_tolerance(special, retained, tolerance, patience):
    return keep(
        special, retained, tolerance, patience, floor=lambda i: retained[0] * (1 - tolerance / 100)
    )


@misconception("The first look is left out; if training only makes things worse, it is the best.")
def first_look_never_kept(special, retained, tolerance, patience):
    kept, taken = keep(special, retained, tolerance, patience)
    inside = [
        i for i in range(1, taken) if retained[i] >= retained[0] - tolerance
    ]  # fmt: skip
    if kept == 0 and inside:
        kept = max(inside, key=lambda i: (special[i], -i))
    return kept, taken
