import pytest

from ift_course.lessons.lesson_03 import figures
from ift_course.lessons.lesson_03.config import LimaConfig


@pytest.fixture
def results(a_result):
    right = {0.0: "1111", 0.3: "0000", 0.6: "1100"}
    results = [
        a_result(LimaConfig(n, share), seed, items=items)
        for n in (1000, 100)
        for share, items in right.items()
        for seed in (0, 1, 2)
    ]
    return [*results, a_result(LimaConfig(100, 0.6, pool=500, chosen_by="random"), 0)]


def test_curves_hold_the_configs_without_a_pool(results):
    lines = figures.by_share(results)
    assert list(lines) == ["curated", "30 % flawed", "60 % flawed"]
    assert list(lines["60 % flawed"]) == [100, 1000]
    assert lines["60 % flawed"][100] == [[1.0, 1.0, 0.0, 0.0]] * 3, "no choice is mixed in"
    assert figures.by_share([]) == {}


def test_the_explorer_shows_training_data_scores_and_answers(results):
    view = figures.explorer_view(results)
    html = view(100, "60 % flawed")
    assert "0.500" in html and "✗" in html and "✓" in html and "That." in html
    assert "Not measured" in view(300, "curated")
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
