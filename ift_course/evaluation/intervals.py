"""95 % confidence intervals of shares of right answers, over items and over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Interval = tuple[float, float]
Items = Sequence[float] | np.ndarray  # one score per item

RESAMPLES = 2_000


def items_interval(*samples: Items) -> Interval:
    """Return the 95 % interval of a mean, or of the difference of two means, over items.

    It is the percentile bootstrap. Items that are all equal tell a bootstrap nothing, so a sample
    of only zeros or only ones gets the exact binomial interval of Clopper and Pearson (1934)
    instead.

    Args:
        samples: One or two lists of item scores; with two, the effect is mean(first) -
            mean(second).

    Raises:
        ValueError: A sample is empty.
    """
    arrays = [np.asarray(sample, dtype=float) for sample in samples]
    if any(array.size == 0 for array in arrays):
        raise ValueError("An interval needs at least one item.")
    if all(np.ptp(array) == 0 for array in arrays):
        return _difference([_equal_items(array) for array in arrays])
    from scipy.stats import bootstrap

    interval = bootstrap(
        arrays,
        _mean_effect,
        n_resamples=RESAMPLES,
        batch=250,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def seeds_interval(values: Sequence[float] | np.ndarray) -> Interval:
    """Return the 95 % Student's t interval of a mean over seeds.

    Three seeds are too few for a bootstrap.
    """
    from scipy.stats import t

    array = np.asarray(values, dtype=float)
    half = t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array))
    return float(array.mean() - half), float(array.mean() + half)


def two_level_interval(*arms: Sequence[Items] | np.ndarray) -> Interval:
    """Return the 95 % interval of a mean, or of the difference of two, over seeds and over items.

    The interval reaches as far as the wider of two intervals: Student's t over the means of the
    seeds, and the bootstrap over items, which are averaged over seeds because seeds usually share
    their questions. Either one alone is too narrow when the other source of noise is larger. A
    plain bootstrap of three seeds and their items covers 80 % instead of 95 % when seeds differ a
    lot (tests/evaluation/test_intervals.py).

    Args:
        arms: One or two arms, each a list of seeds, each a list of item scores: shape (seeds,
            items). With two arms, seeds are paired; so are items if both arms have equally many.
    """
    matrices = [np.asarray(arm, dtype=float) for arm in arms]
    seed_effects = matrices[0].mean(axis=1)
    if len(matrices) == 2:
        seed_effects = seed_effects - matrices[1].mean(axis=1)
    over_seeds = seeds_interval(seed_effects)
    over_items = items_interval(*_item_effects([matrix.mean(axis=0) for matrix in matrices]))
    low, high = min(over_items[0], over_seeds[0]), max(over_items[1], over_seeds[1])
    if all(np.isin(matrix, (0.0, 1.0)).all() for matrix in matrices):  # a share, or a difference
        low, high = max(low, 1.0 - len(matrices)), min(high, 1.0)
    return low, high


def paired_difference(first: Sequence[Items], second: Sequence[Items]) -> tuple[float, Interval]:
    """Return the first arm's mean minus the second's, paired by item, and its 95 % interval.

    The interval covers seeds and items, as in `two_level_interval`, or items alone if there is only
    one seed.

    Args:
        first: A list of item scores for each seed.
        second: Those of another arm, with the same seeds and items.
    """
    matrices = [np.asarray(arm, dtype=float) for arm in (first, second)]
    effect = float(matrices[0].mean() - matrices[1].mean())
    if len(matrices[0]) > 1:
        return effect, two_level_interval(*matrices)
    differences = matrices[0][0] - matrices[1][0]
    low, high = items_interval(differences)
    return effect, (low, high) if differences.any() else (-high, high)


def _item_effects(columns: list[np.ndarray]) -> list[np.ndarray]:
    """Subtract paired items, unless all differences are equal."""
    if len(columns) == 2 and len(columns[0]) == len(columns[1]):
        differences = columns[0] - columns[1]
        if np.ptp(differences) > 0:
            return [differences]
    return columns


def _mean_effect(first: np.ndarray, second: np.ndarray | None = None, axis: int = -1) -> np.ndarray:
    effect = first.mean(axis=axis)
    return effect if second is None else effect - second.mean(axis=axis)


def _equal_items(array: np.ndarray) -> Interval:
    """Return the interval of the mean of items that are all equal."""
    from scipy.stats import binomtest

    value = float(array[0])
    if value not in (0.0, 1.0):
        return value, value
    interval = binomtest(int(array.sum()), array.size).proportion_ci(method="exact")
    return float(interval.low), float(interval.high)


def _difference(intervals: list[Interval]) -> Interval:
    """Return the only interval, or the widest difference of two."""
    if len(intervals) == 1:
        return intervals[0]
    (low, high), (other_low, other_high) = intervals
    return low - other_high, high - other_low
