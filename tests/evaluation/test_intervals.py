"""Intervals cover the truth as often as they claim, are never empty, and never warn."""

import warnings

import numpy as np
import pytest

from ift_course.evaluation.intervals import (
    items_interval,
    paired_difference,
    seeds_interval,
    two_level_interval,
)


def coverage(truth: float, interval_of, draw, runs: int = 300) -> float:
    rng = np.random.default_rng(1)
    intervals = [interval_of(draw(rng)) for _ in range(runs)]
    return float(np.mean([low <= truth <= high for low, high in intervals]))


def test_the_items_interval_covers_the_truth():
    share = coverage(0.8, items_interval, lambda rng: (rng.random(150) < 0.8).astype(float))
    assert 0.91 < share < 0.985


def test_the_seeds_interval_covers_the_truth():
    assert 0.92 < coverage(5.0, seeds_interval, lambda rng: rng.normal(5, 2, 3)) < 0.98


@pytest.mark.parametrize(("seed_sd", "item_sd"), [(0.0, 0.2), (0.15, 0.0), (0.05, 0.2)])
def test_the_two_level_interval_covers_the_truth_whichever_noise_is_larger(seed_sd, item_sd):
    def draw(rng):
        hard = rng.normal(0, item_sd, (1, 150))  # seeds share their questions
        luck = rng.normal(0, seed_sd, (3, 1))
        return (rng.random((3, 150)) < np.clip(0.5 + hard + luck, 0, 1)).astype(float)

    assert 0.92 < coverage(0.5, two_level_interval, draw) <= 1.0


def test_a_difference_is_paired_by_item_and_by_seed():
    rng = np.random.default_rng(0)
    hard = rng.random(200)  # what varies between items is the same in both arms
    luck = np.array([[0.0], [0.5], [1.0]])  # and so is what varies between seeds
    a = hard + luck + 0.1 + rng.normal(0, 0.001, (3, 200))
    low, high = two_level_interval(a, hard + luck)
    assert 0.09 < low < 0.1 < high < 0.11
    assert np.diff(two_level_interval(a)) > 1, "one arm alone is much less certain"


def test_all_right_or_all_wrong_is_not_certainty():
    assert items_interval([1.0] * 100) == pytest.approx((0.9638, 1.0), abs=2e-3)
    assert items_interval([0.0] * 100) == pytest.approx((0.0, 0.0362), abs=2e-3)
    low, high = two_level_interval(np.ones((3, 100)), np.zeros((3, 100)))
    assert 0.9 < low < 0.95 and high == 1.0
    low, high = two_level_interval(np.ones((3, 100)), np.ones((3, 100)))
    assert low == pytest.approx(-high) and 0.02 < high < 0.06


def test_degenerate_items_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert items_interval([0.25] * 5) == (0.25, 0.25)
        assert items_interval([1.0])[1] == 1.0
        items_interval([1.0] * 99 + [0.0])
        items_interval([1.0] * 9, [1.0, 0.0])
        assert seeds_interval([0.5, 0.5, 0.5]) == (0.5, 0.5)


def test_no_items_is_an_error():
    with pytest.raises(ValueError, match="at least one item"):
        items_interval([])


def test_the_same_data_give_the_same_interval():
    data = np.random.default_rng(0).random(50)
    assert items_interval(data) == items_interval(data)


def test_a_paired_difference_is_over_seeds_and_items_or_over_items_alone():
    half, none = [[1.0, 0.0] * 20] * 3, [[0.0] * 40] * 3
    effect, interval = paired_difference(half, none)
    assert effect == 0.5 and interval == two_level_interval(half, none)
    one_seed = paired_difference(none[:1], half[:1])
    assert one_seed[0] == -0.5 and one_seed[1][0] < -0.5 < one_seed[1][1] < 0
    low, high = paired_difference(half[:1], half[:1])[1]
    assert low == -high < 0, "no item differs, but other items might"
