import statistics

from scipy import stats

from ift_course.exercises.misconceptions import misconception


def refuse(scores):
    if len(scores) < 2 or not all(scores.values()):
        raise ValueError


def interval(means, level, *, spread=statistics.stdev, freedom=-1, root=True, upper=None):
    k = len(means)
    mean = statistics.fmean(means)
    t = float(stats.t.ppf((1 + level) / 2 if upper is None else upper, k + freedom))
    half = t * spread(means) / (k**0.5 if root else 1)
    return mean, mean - half, mean + half


def means_of(scores):
    return [statistics.fmean(found) for found in scores.values()]


@misconception("All scores are thrown together, so a large family counts more; average twice.")
def micro_average(scores, level=0.95):
    refuse(scores)
    return interval([x for found in scores.values() for x in found], level)


@misconception("The interval is that of the single scores; take the families' means.")
def interval_over_scores(scores, level=0.95):
    refuse(scores)
    _, low, high = interval([x for found in scores.values() for x in found], level)
    mean = statistics.fmean(means_of(scores))
    return mean, mean - (high - low) / 2, mean + (high - low) / 2


@misconception("The standard deviation is divided by k; with a sample it is k − 1.")
def divided_by_k(scores, level=0.95):
    refuse(scores)
    return interval(means_of(scores), level, spread=statistics.pstdev)


@misconception("The normal distribution is used; with few families take Student's.")
def normal_quantile(scores, level=0.95):
    refuse(scores)
    means = means_of(scores)
    mean = statistics.fmean(means)
    z = statistics.NormalDist().inv_cdf((1 + level) / 2)
    half = z * statistics.stdev(means) / len(means) ** 0.5
    return mean, mean - half, mean + half


@misconception("There are k degrees of freedom; one is used up by the mean, so k − 1.")
def k_degrees_of_freedom(scores, level=0.95):
    refuse(scores)
    return interval(means_of(scores), level, freedom=0)


@misconception("The standard deviation is not divided by √k: this says where one family lies.")
def not_divided_by_the_root(scores, level=0.95):
    refuse(scores)
    return interval(means_of(scores), level, root=False)


@misconception("The quantile is that of one side; half of 1 − level lies on each side.")
def one_sided(scores, level=0.95):
    refuse(scores)
    return interval(means_of(scores), level, upper=level)


@misconception("The level is not used; it is always 95 %.")
def level_ignored(scores, level=0.95):
    refuse(scores)
    return interval(means_of(scores), 0.95)


@misconception("The interval is cut at 0 and 1; it may reach further.")
def cut_at_the_bounds(scores, level=0.95):
    refuse(scores)
    mean, low, high = interval(means_of(scores), level)
    return mean, max(0.0, low), min(1.0, high)


@misconception("The mean stands in the middle of the answer; it comes first.")
def mean_in_the_middle(scores, level=0.95):
    refuse(scores)
    mean, low, high = interval(means_of(scores), level)
    return low, mean, high


@misconception("One family alone, or one without scores, has no interval; raise a ValueError.")
def nothing_refused(scores, level=0.95):
    means = [statistics.fmean(found) for found in scores.values() if found]
    if len(means) < 2:
        return 0.0, 0.0, 0.0
    return interval(means, level)
