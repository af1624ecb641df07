from ift_course.exercises.misconceptions import misconception, variants


def beats(gain, loss, i, j):
    no_worse = gain[i] >= gain[j] and loss[i] <= loss[j]
    return no_worse and (gain[i], loss[i]) != (gain[j], loss[j])


def front(gain, loss, *, beats=beats, key=None):
    if len(gain) != len(loss):
        raise ValueError
    everyone = range(len(gain))
    left = [j for j in everyone if not any(beats(gain, loss, i, j) for i in everyone)]
    return sorted(left, key=key or (lambda j: loss[j]))


@misconception("You treat a high loss as good; a loss should be low.")
def high_loss_is_good(gain, loss):
    return front(gain, [-x for x in loss], key=lambda j: loss[j])


@misconception("You treat a low gain as good; a gain should be high.")
def low_gain_is_good(gain, loss):
    return front([-x for x in gain], loss)


wrong = variants(front)

worse_in_both = wrong(
    "You drop only what is worse in *both*; with an equal gain, the one that loses more is "
    "beaten, too.",
    beats=lambda g, x, i, j: g[i] > g[j] and x[i] < x[j],
)
twins_beat_each_other = wrong(
    "“At least as good in both” lets twins beat each other, so both are missing; one has to be "
    "better.",
    beats=lambda g, x, i, j: i != j and g[i] >= g[j] and x[i] <= x[j],
)
better_in_one = wrong(
    "You accept being better in one, so nearly all beat each other; the other must not be worse.",
    beats=lambda g, x, i, j: g[i] > g[j] or x[i] < x[j],
)


@misconception("You maximize gain minus loss, which picks one point of the front, not the front.")
def best_difference(gain, loss):
    if len(gain) != len(loss):
        raise ValueError
    scores = [g - x for g, x in zip(gain, loss, strict=True)]
    return [scores.index(max(scores))] if scores else []


order_of_the_index = wrong(
    "The front is in the order of the indices; sort it by rising loss.", key=lambda j: j
)


@misconception("The front is sorted by falling loss; start with the lowest.")
def falling_loss(gain, loss):
    return front(gain, loss, key=lambda j: -loss[j])


@misconception("Only the first of two twins is kept; neither beats the other, so both belong.")
def first_twin_only(gain, loss):
    members = []
    for j in front(gain, loss):
        if all((gain[i], loss[i]) != (gain[j], loss[j]) for i in members):
            members.append(j)
    return members


@misconception("This is the convex hull, which leaves out remedies that no other one beats.")
def convex_hull(gain, loss):
    members = []
    for j in front(gain, loss):
        while len(members) > 1:
            a, b = members[-2], members[-1]
            rise = (gain[b] - gain[a]) * (loss[j] - loss[a])
            if rise > (gain[j] - gain[a]) * (loss[b] - loss[a]) or loss[b] == loss[a]:
                break
            members.pop()
        members.append(j)
    return members


@misconception("These are pairs of gain and loss; return the indices of the remedies.")
def points_instead_of_indices(gain, loss):
    return [(gain[j], loss[j]) for j in front(gain, loss)]


@misconception("Losses below 0 are clipped to 0; what was gained elsewhere counts.")
def losses_cut_at_zero(gain, loss):
    return front(gain, [max(x, 0.0) for x in loss])


@misconception(
    "The longer list is silently cut; lists of two lengths are the caller's mistake, so raise a "
    "ValueError."
)
def lengths_not_checked(gain, loss):
    length = min(len(gain), len(loss))
    return front(gain[:length], loss[:length])
