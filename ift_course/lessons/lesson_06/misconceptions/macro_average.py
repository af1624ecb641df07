import statistics

from scipy import stats

from ift_course.exercises.misconceptions import misconception, variants


def means_of(scores):
    if len(scores) < 2 or not all(scores.values()):
        raise ValueError
    return [statistics.fmean(values) for values in scores.values()]


def student(p, k):
    return float(stats.t.ppf(p, k))


def average(
    scores, level=0.95, *, means=means_of, deviation=statistics.stdev, quantile=student,
    freedom=-1, root=True, upper=lambda level: (1 + level) / 2, result=lambda *numbers: numbers,
):  # fmt: skip
    values = means(scores)
    k, mean = len(values), statistics.fmean(values)
    half = quantile(upper(level), k + freedom) * deviation(values) / (k**0.5 if root else 1)
    return result(mean, mean - half, mean + half)


def single_scores(scores):
    means_of(scores)
    return [x for values in scores.values() for x in values]


wrong = variants(average)

micro_average = wrong(
    "All scores are pooled, so a large family counts more; average twice.", means=single_scores
)


@misconception("The interval is computed from the single scores; use the families' means.")
def interval_over_scores(scores, level=0.95):
    _, low, high = average(scores, level, means=single_scores)
    mean = statistics.fmean(means_of(scores))
    return mean, mean - (high - low) / 2, mean + (high - low) / 2


divided_by_k = wrong(
    "The standard deviation is divided by k; for a sample, divide by k − 1.",
    deviation=statistics.pstdev,
)
normal_quantile = wrong(
    "You use the normal distribution; with few families use Student's t.",
    quantile=lambda p, k: statistics.NormalDist().inv_cdf(p),
)
k_degrees_of_freedom = wrong(
    "You use k degrees of freedom; the mean uses up one of them, so use k − 1.", freedom=0
)
not_divided_by_the_root = wrong(
    "The standard deviation is not divided by √k, so this describes a single family.", root=False
)
one_sided = wrong(
    "The quantile is one-sided; half of 1 − level belongs on each side.", upper=lambda level: level
)


@misconception("The level is not used; it is always 95 %.")
def level_ignored(scores, level=0.95):
    return average(scores)


cut_at_the_bounds = wrong(
    "The interval is clipped to 0 and 1; it may reach further.",
    result=lambda mean, low, high: (mean, max(0.0, low), min(1.0, high)),
)
mean_in_the_middle = wrong(
    "The mean is in the middle of the answer; it comes first.",
    result=lambda mean, low, high: (low, mean, high),
)


@misconception("A single family, or one without scores, has no interval; raise a ValueError.")
def nothing_refused(scores, level=0.95):
    families = {name: values for name, values in scores.items() if values}
    return average(families, level) if len(families) > 1 else (0.0, 0.0, 0.0)
