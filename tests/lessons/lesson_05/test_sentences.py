"""A finding is said as the numbers have it: less, more, or not to be told apart."""

from ift_course.lessons.lesson_05.sentences import against_bound, compared

ALL, NONE = [[1.0] * 40] * 3, [[0.0] * 40] * 3
HALF = [[0.0, 1.0] * 20] * 3


def test_a_clear_difference_has_a_direction():
    assert compared("sycophancy", "DPO", NONE, "SFT", ALL).startswith(
        "sycophancy: DPO has less than SFT, -1.00 (95 % interval "
    )
    assert "SFT has more than DPO, +1.00" in compared("x", "SFT", ALL, "DPO", NONE)


def test_what_may_be_chance_is_called_so():
    shuffled = [[1.0, 0.0] * 20] * 3
    assert compared("x", "A", HALF, "B", shuffled).startswith(
        "x: A and B cannot be told apart, +0.00"
    )


def test_a_prediction_is_met_missed_or_not_decided():
    assert against_bound(ALL, NONE, 0.3).endswith("to +1.00): as predicted")
    assert against_bound(NONE, NONE, 0.3).startswith("predicted at least +0.30, measured +0.00 (")
    assert against_bound(NONE, NONE, 0.3).endswith(": missed")
    assert against_bound(HALF, NONE, 0.5).endswith(": not decided")
