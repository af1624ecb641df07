import pytest

from ift_course.lessons.lesson_03 import experiment, figures
from ift_course.lessons.lesson_03.config import LimaConfig


@pytest.fixture
def results(a_result):
    right = {0.0: "1111", 0.6: "1100", 0.9: "0000"}
    results = [
        a_result(LimaConfig(n, share), seed, items=items)
        for n in (100, 1000)
        for share, items in right.items()
        for seed in (0, 1, 2)
    ]
    results += [a_result(LimaConfig(3000, 0.6), s, items="1111") for s in (0, 1, 2)]
    results += [a_result(LimaConfig(100, steps=experiment.STEPS), s) for s in (0, 1, 2)]
    return [
        *results,
        a_result(LimaConfig(100, 0.6, ("wrong",)), 0),
        a_result(LimaConfig(100, tasks=3), 0),
    ]


def test_curves_hold_the_plain_configs_of_one_budget(results):
    lines = figures.by_share(results, equal_steps=False)
    assert list(lines) == ["curated", "60 % flawed", "90 % flawed"]
    assert list(lines["60 % flawed"]) == [100, 1000, 3000]
    assert lines["60 % flawed"][100] == [[1.0, 1.0, 0.0, 0.0]] * 3, "no other kind is mixed in"
    assert list(figures.by_share(results, equal_steps=True)["curated"]) == [100]
    assert figures.by_share([], equal_steps=True) == {}


def test_the_least_number_that_replaces_the_reference(results):
    reference = LimaConfig(1000)
    assert figures.replaced_by(results, reference, 0.6, slack=0.02) == 3000
    assert figures.replaced_by(results, reference, 0.9, slack=0.02) is None
    assert figures.replaced_by(results, reference, 0.6, slack=0.5) == 100


def test_the_explorer_shows_training_data_scores_and_answers(results):
    view = figures.explorer_view(results)
    html = view(100, "60 % flawed", "four epochs")
    assert "0.500" in html and "✗" in html and "✓" in html and "That." in html
    assert "Not measured" in view(300, "curated", "four epochs")
    for values in zip(*([v[0], v[-1]] for v in figures.options().values()), strict=True):
        assert view(*values)


def test_the_origin_of_results(results):
    assert figures.origin(results[:3]) == "3 seeds, 2026-01-02, a machine"
    assert figures.origin(results) == "1 to 3 seeds, 2026-01-02, a machine"


def test_live_results_stand_in_only_for_configs_that_are_not_stored(a_result):
    stored, live = (
        [a_result(LimaConfig(30), 0)],
        [a_result(LimaConfig(30), 1), a_result(LimaConfig(100), 1)],
    )
    assert figures.stored_or_live(stored, live) == [stored[0], live[1]]
    assert figures.stored_or_live([], live) == live


def test_nothing_replaces_a_reference_that_was_not_measured(results):
    assert figures.replaced_by(results, LimaConfig(77), 0.6, slack=0.1) is None
