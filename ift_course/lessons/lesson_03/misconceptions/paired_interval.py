import torch

from ift_course.exercises.misconceptions import misconception


def interval(a, b, draws, level, *, statistic=None, dtype=torch.float64, quantile=torch.quantile):
    if len(a) != len(b) or not a:
        raise ValueError
    a, b = torch.tensor(a, dtype=dtype), torch.tensor(b, dtype=dtype)
    means = statistic(a, b, draws) if statistic else (a - b)[draws].mean(dim=1)
    outside = (1 - level) / 2
    return quantile(means, outside).item(), quantile(means, 1 - outside).item()


@misconception(
    "The two models answer different questions in your imagined tests; use the same draw for both."
)
def not_paired(a, b, draws, level=0.95):
    def statistic(a, b, draws):
        return a[draws].mean(dim=1) - b[draws.roll(1, 0)].mean(dim=1)

    return interval(a, b, draws, level, statistic=statistic)


@misconception("This is mean(b) − mean(a); the sign is turned around.")
def wrong_sign(a, b, draws, level=0.95):
    return interval(b, a, draws, level)


@misconception("All of 1 − level is left out on each side; half of it belongs to each.")
def everything_left_out_on_each_side(a, b, draws, level=0.95):
    return interval(a, b, draws, 2 * level - 1)


@misconception("The level is not used; it is always 95 %.")
def level_ignored(a, b, draws, level=0.95):
    return interval(a, b, draws, 0.95)


@misconception("The borders come in the wrong order: first the lower one.")
def high_before_low(a, b, draws, level=0.95):
    return interval(a, b, draws, level)[::-1]


@misconception(
    "This is the interval of the normal distribution around the mean; take the quantiles of the "
    "imagined differences."
)
def normal_interval(a, b, draws, level=0.95):
    from statistics import NormalDist

    if len(a) != len(b) or not a:
        raise ValueError
    difference = torch.tensor(a, dtype=torch.float64) - torch.tensor(b, dtype=torch.float64)
    means = difference[draws].mean(dim=1)
    half = NormalDist().inv_cdf((1 + level) / 2) * means.std(correction=0)
    return (difference.mean() - half).item(), (difference.mean() + half).item()


@misconception(
    "The mean goes over the imagined tests instead of over the questions of each; the other "
    "dimension."
)
def mean_over_the_tests(a, b, draws, level=0.95):
    return interval(a, b, draws, level, statistic=lambda a, b, d: (a - b)[d].mean(dim=0))


@misconception(
    "The single questions are resampled and never averaged; an imagined test has one mean."
)
def questions_not_averaged(a, b, draws, level=0.95):
    return interval(a, b, draws, level, statistic=lambda a, b, d: (a - b)[d].flatten())


@misconception(
    "The nearest imagined difference is taken; between two of them there is linear interpolation."
)
def not_interpolated(a, b, draws, level=0.95):
    return interval(
        a, b, draws, level, quantile=lambda x, q: torch.quantile(x, q, interpolation="nearest")
    )


@misconception("It is computed in float32, which loses small differences; use float64.")
def computed_in_float32(a, b, draws, level=0.95):
    return interval(a, b, draws, level, dtype=torch.float32)


@misconception("Scores that do not belong together, or none at all, are to be refused.")
def nothing_refused(a, b, draws, level=0.95):
    size = min(len(a), len(b))
    return interval(a[:size], b[:size], draws.clamp(max=size - 1), level) if size else (0.0, 0.0)
