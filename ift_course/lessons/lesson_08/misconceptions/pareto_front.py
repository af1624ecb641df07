from ift_course.exercises.misconceptions import misconception


def beats(gain, loss, i, j):
    no_worse = gain[i] >= gain[j] and loss[i] <= loss[j]
    return no_worse and (gain[i], loss[i]) != (gain[j], loss[j])


def front(gain, loss, *, beats=beats, key=None):
    if len(gain) != len(loss):
        raise ValueError
    everyone = range(len(gain))
    left = [j for j in everyone if not any(beats(gain, loss, i, j) for i in everyone)]
    return sorted(left, key=key or (lambda j: loss[j]))


@misconception("A high loss is taken for good; a loss should be low.")
def high_loss_is_good(gain, loss):
    return front(gain, [-x for x in loss], key=lambda j: loss[j])


@misconception("A low gain is taken for good; a gain should be high.")
def low_gain_is_good(gain, loss):
    return front([-x for x in gain], loss)


@misconception(
    "Only what is worse in *both* is beaten; with an equal gain, the one that loses more is beaten "
    "too."
)
def worse_in_both(gain, loss):
    return front(gain, loss, beats=lambda g, x, i, j: g[i] > g[j] and x[i] < x[j])


@misconception(
    "“At least as good in both” lets twins beat each other, and then both are missing; one has to "
    "be better."
)
def twins_beat_each_other(gain, loss):
    return front(gain, loss, beats=lambda g, x, i, j: i != j and g[i] >= g[j] and x[i] <= x[j])


@misconception(
    "Being better in one is taken for enough, so nearly all beat each other; it must not be worse "
    "in the other."
)
def better_in_one(gain, loss):
    return front(gain, loss, beats=lambda g, x, i, j: g[i] > g[j] or x[i] < x[j])


@misconception(
    "Gain minus loss is maximized; that is one point of view on the front, not the front."
)
def best_difference(gain, loss):
    if len(gain) != len(loss):
        raise ValueError
    scores = [g - x for g, x in zip(gain, loss, strict=True)]
    return [scores.index(max(scores))] if scores else []


@misconception("The front is in the order of the index; sort it by rising loss.")
def order_of_the_index(gain, loss):
    return front(gain, loss, key=lambda j: j)


@misconception("The front is sorted by falling loss; it should begin with the lowest.")
def falling_loss(gain, loss):
    return front(gain, loss, key=lambda j: -loss[j])


@misconception("Of twins only the first is kept; neither beats the other, so both belong.")
def first_twin_only(gain, loss):
    kept = []
    for j in front(gain, loss):
        if all((gain[i], loss[i]) != (gain[j], loss[j]) for i in kept):
            kept.append(j)
    return kept


@misconception("The convex hull is something else: it leaves out remedies that no other one beats.")
def convex_hull(gain, loss):
    kept = []
    for j in front(gain, loss):
        while len(kept) > 1:
            a, b = kept[-2], kept[-1]
            rise = (gain[b] - gain[a]) * (loss[j] - loss[a])
            if rise > (gain[j] - gain[a]) * (loss[b] - loss[a]) or loss[b] == loss[a]:
                break
            kept.pop()
        kept.append(j)
    return kept


@misconception("These are pairs of gain and loss; return the indices of the remedies.")
def points_instead_of_indices(gain, loss):
    return [(gain[j], loss[j]) for j in front(gain, loss)]


@misconception("Losses below 0 are cut off at 0; what was gained elsewhere counts.")
def losses_cut_at_zero(gain, loss):
    return front(gain, [max(x, 0.0) for x in loss])


@misconception("The longer list is cut without a word; two lengths are a mistake of the caller.")
def lengths_not_checked(gain, loss):
    length = min(len(gain), len(loss))
    return front(gain[:length], loss[:length])
