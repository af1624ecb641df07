"""The paired difference: its interval against brute force and scipy, and its verdict in words."""

from math import comb, sqrt

import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest

from ift_course.evaluation.paired import PairedCounts, _tango, points, round_up, share_interval

Z = 1.959963984540054
TABLES = [(60, 2, 9), (44, 6, 4), (25, 0, 3), (100, 17, 5), (1000, 10, 31), (12, 6, 6), (10, 0, 10)]


def likelihood_score(n: int, only_a: int, only_b: int, difference: float) -> float:
    """The score statistic with the nuisance share found by a search instead of Tango's formula."""
    from math import log

    rest = n - only_a - only_b

    def loss(share_a: float) -> float:
        cells = (
            (only_a, share_a),
            (only_b, share_a + difference),
            (rest, 1 - 2 * share_a - difference),
        )
        if any(share <= 0 and count for count, share in cells):
            return 1e9
        return -sum(count * log(share) for count, share in cells if count)

    low, high = max(0.0, -difference), (1 - difference) / 2
    options = {"xatol": 1e-12}
    best = minimize_scalar(loss, bounds=(low, high), method="bounded", options=options).x
    return (only_b - only_a - n * difference) / sqrt(
        n * (2 * best + difference * (1 - difference))
    )  # fmt: skip


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_tangos_bounds_are_where_the_score_test_begins_to_refuse(table):
    low, high = _tango(*table)
    if low > -1:
        assert likelihood_score(*table, low) == pytest.approx(Z, abs=1e-3)
    if high < 1:
        assert likelihood_score(*table, high) == pytest.approx(-Z, abs=1e-3)
    wide_low, wide_high = PairedCounts(*table).interval
    assert wide_low <= low and high <= wide_high


@pytest.mark.parametrize("n", [5, 20])
def test_the_interval_of_no_disagreement_is_tangos(n):
    low, high = PairedCounts(n, 0, 0).interval
    assert high == pytest.approx(Z**2 / (n + Z**2)) and low == pytest.approx(-high)


def test_the_interval_excludes_zero_exactly_when_mcnemars_test_is_significant():
    for only_a in range(16):
        for only_b in range(16):
            counts = PairedCounts(60, only_a, only_b)
            low, high = counts.interval
            p = binomtest(only_b, only_a + only_b).pvalue if only_a + only_b else 1.0
            assert counts.p_value == pytest.approx(p)
            assert (low > 0 or high < 0) == (p < 0.05), (only_a, only_b)


def test_swapping_the_models_mirrors_the_interval():
    for n, only_a, only_b in TABLES:
        low, high = PairedCounts(n, only_a, only_b).interval
        mirrored = PairedCounts(n, only_b, only_a).interval
        assert mirrored == pytest.approx((-high, -low), abs=1e-9)


@pytest.mark.parametrize(
    ("share_a", "share_b"), [(0.1, 0.1), (0.02, 0.2), (0.05, 0.35), (0.3, 0.0)]
)
def test_the_interval_covers_the_truth_in_95_of_100_tests(share_a, share_b):
    """Counted exactly, over all tables of 20 questions."""
    n, covered = 20, 0.0
    for a in range(n + 1):
        for b in range(n + 1 - a):
            weight = comb(n, a) * comb(n - a, b) * share_a**a * share_b**b
            weight *= (1 - share_a - share_b) ** (n - a - b)
            low, high = PairedCounts(n, a, b).interval if weight > 1e-9 else (0, 0)
            covered += weight * (low - 1e-9 <= share_b - share_a <= high + 1e-9)
    assert covered >= 0.945


def test_the_interval_of_a_share_is_wilsons():
    n, right = 50, 12
    p, z2 = right / n, Z**2
    center, half = (
        (p + z2 / (2 * n)) / (1 + z2 / n),
        Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n),
    )
    assert share_interval(right, n) == pytest.approx((center - half, center + half))
    assert share_interval(0, 3)[0] == 0 and share_interval(3, 3)[1] == 1


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        (PairedCounts(60, 0, 6), "B is better by 10 points (0.8 to 20)"),
        (PairedCounts(60, 6, 0), "A is better by 10 points (0.8 to 20)"),
        (PairedCounts(60, 0, 5), "A and B cannot be told apart with 60 items; about 92 would do"),
        (PairedCounts(1, 0, 1), "A and B cannot be told apart with 1 item; about 4 would do"),
        (
            PairedCounts(60, 3, 3),
            "A and B cannot be told apart with 60 items; about 320 would show a difference of 5 "
            "points",
        ),
        (
            PairedCounts(2000, 5, 5),
            "A and B cannot be told apart with 2,000 items; they differ by at most 0.4 points",
        ),
    ],
    ids=str,
)
def test_the_verdict_says_who_is_better_or_how_many_items_would_tell(counts, verdict):
    assert counts.verdict() == verdict


def test_as_many_items_as_recommended_find_the_difference_in_four_of_five_tests():
    import numpy as np

    counts = PairedCounts(60, 3, 8)
    shares = [3 / 60, 8 / 60, 49 / 60]
    draws = np.random.default_rng(0).multinomial(counts.needed, shares, size=400)
    significant = [binomtest(int(b), int(a + b)).pvalue < 0.05 for a, b, _ in draws if a + b]
    assert 0.7 <= sum(significant) / len(draws) <= 0.9


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.12, "12 points"), (0.01, "1 point"), (0.004, "0.4 points"), (0, "0 points"),
     (-0.03, "−3 points"), (0.0095, "1 point"), (1.0, "100 points")],
)  # fmt: skip
def test_points_have_a_decimal_only_below_one(share, text):
    assert points(share) == text


def test_a_recommended_number_has_two_digits():
    assert [round_up(x) for x in (0.5, 7.2, 91.8, 334, 1234)] == [1, 8, 92, 340, 1300]
