import torch

from ift_course.exercises.misconceptions import misconception, variants


def interval(
    a, b, draws, level=0.95, *, statistic=None, dtype=torch.float64, quantile=torch.quantile
):
    if len(a) != len(b) or not a:
        raise ValueError
    a, b = torch.tensor(a, dtype=dtype), torch.tensor(b, dtype=dtype)
    means = statistic(a, b, draws) if statistic else (a - b)[draws].mean(dim=1)
    outside = (1 - level) / 2
    return quantile(means, outside).item(), quantile(means, 1 - outside).item()


wrong = variants(interval)

not_paired = wrong(
    "The two models answer different questions in your resampled tests; use the same draw for "
    "both.",
    statistic=lambda a, b, draws: a[draws].mean(dim=1) - b[draws.roll(1, 0)].mean(dim=1),
)


@misconception("This is mean(b) − mean(a); the sign is reversed.")
def wrong_sign(a, b, draws, level=0.95):
    return interval(b, a, draws, level)


@misconception("You leave out all of 1 − level on each side; leave out half of it on each.")
def everything_left_out_on_each_side(a, b, draws, level=0.95):
    return interval(a, b, draws, 2 * level - 1)


@misconception("The level is not used; it is always 95 %.")
def level_ignored(a, b, draws, level=0.95):
    return interval(a, b, draws, 0.95)


@misconception("The bounds are in the wrong order; the lower one comes first.")
def high_before_low(a, b, draws, level=0.95):
    return interval(a, b, draws, level)[::-1]


@misconception(
    "This is a normal interval around the mean; take the quantiles of the resampled differences."
)
def normal_interval(a, b, draws, level=0.95):
    from statistics import NormalDist

    if len(a) != len(b) or not a:
        raise ValueError
    difference = torch.tensor(a, dtype=torch.float64) - torch.tensor(b, dtype=torch.float64)
    means = difference[draws].mean(dim=1)
    half = NormalDist().inv_cdf((1 + level) / 2) * means.std(correction=0)
    return (difference.mean() - half).item(), (difference.mean() + half).item()


mean_over_the_tests = wrong(
    "The mean is taken over the resampled tests instead of over the questions of each; use the "
    "other dimension.",
    statistic=lambda a, b, d: (a - b)[d].mean(dim=0),
)
questions_not_averaged = wrong(
    "The single questions are resampled but never averaged; each resampled test has one mean.",
    statistic=lambda a, b, d: (a - b)[d].flatten(),
)
not_interpolated = wrong(
    "You take the nearest resampled difference; interpolate linearly between two of them.",
    quantile=lambda x, q: torch.quantile(x, q, interpolation="nearest"),
)
computed_in_float32 = wrong(
    "You compute in float32, which loses small differences; use float64.", dtype=torch.float32
)


@misconception("Lists of different lengths, and empty ones, should be refused with a ValueError.")
def nothing_refused(a, b, draws, level=0.95):
    size = min(len(a), len(b))
    return interval(a[:size], b[:size], draws.clamp(max=size - 1), level) if size else (0.0, 0.0)
