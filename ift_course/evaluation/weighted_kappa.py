"""The agreement of two people who give points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def weighted_kappa(
    first: Sequence[float] | np.ndarray, second: Sequence[float] | np.ndarray
) -> float:
    """Agreement of two raters who give numbers, beyond chance (Cohen 1968), quadratic weights.

    It is 1 - (mean squared difference) / (the same for raters who give their numbers as often as
    these do, but independently of the items), so that a small difference counts less than a large
    one.

    Args:
        first: The numbers of one rater.
        second: Those of the other for the same items.

    Raises:
        ValueError: There are no items, or both raters give one and the same number to everything.
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.size == 0 or a.shape != b.shape:
        raise ValueError("Two raters need the same items, and at least one.")
    expected = float(a.var() + b.var() + (a.mean() - b.mean()) ** 2)  # over all pairs of items
    if expected == 0:
        raise ValueError("Both raters give one number to everything, so kappa is not defined.")
    return 1 - float(((a - b) ** 2).mean()) / expected
