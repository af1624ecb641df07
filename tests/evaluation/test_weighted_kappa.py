"""Weighted kappa is Cohen's, by hand and beside scikit-learn's."""

import numpy as np
import pytest

from ift_course.evaluation.judge import cohens_kappa
from ift_course.evaluation.weighted_kappa import weighted_kappa


def test_two_by_hand():
    # Squared differences 0, 1, 1, 0: mean 1/2. Of all pairs: 0 1 4 4, 1 0 1 1, 1 0 1 1, 4 1 0 0.
    assert weighted_kappa([0, 1, 1, 2], [0, 0, 2, 2]) == pytest.approx(1 - 0.5 / (24 / 16))


def test_with_two_values_the_weights_do_not_matter():
    rng = np.random.default_rng(1)
    first, second = rng.integers(2, size=(2, 50))
    expected = cohens_kappa(first.tolist(), second.tolist())
    assert weighted_kappa(first, second) == pytest.approx(expected)


def test_it_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    first, second = np.random.default_rng(2).integers(5, size=(2, 80))
    other = metrics.cohen_kappa_score(first, second, weights="quadratic")
    assert weighted_kappa(first, second) == pytest.approx(other)


@pytest.mark.parametrize(("first", "second"), [([], []), ([1], [1, 2]), ([1.5, 1.5], [1.5, 1.5])])
def test_what_is_not_defined_is_refused(first, second):
    with pytest.raises(ValueError):
        weighted_kappa(first, second)
