import pytest

from ift_course.lessons.lesson_03 import figures
from ift_course.lessons.lesson_03.config import LimaConfig


@pytest.fixture
def results(a_result):
    right = {0.0: "1111", 0.3: "0000", 0.6: "1100"}
    return [
        a_result(LimaConfig(n, share), seed, items=items)
        for n in (1000, 100)
        for share, items in right.items()
        for seed in (0, 1, 2)
    ]


def test_curves_hold_every_share_and_size(results):
    lines = figures.by_share(results)
    assert list(lines) == ["curated", "30 % flawed", "60 % flawed"]
    assert list(lines["60 % flawed"]) == [100, 1000]
    assert lines["60 % flawed"][100] == [[1.0, 1.0, 0.0, 0.0]] * 3
    assert figures.means(results)["60 % flawed"] == {100: 0.5, 1000: 0.5}
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
    assert figures.origin(results[:4]) == "1 to 3 seeds, 2026-01-02, a machine"


def test_the_title_says_how_few_curated_examples_beat_the_largest_flawed_set(results):
    assert figures.finding(results) == (
        "100 curated examples (1.00) beat 1,000 that are 60 % flawed (0.50), at 63 steps each"
    )
    worse = [x for x in results if x.config.flawed]
    assert figures.finding(worse).startswith("No number of curated examples beats 1,000")
    assert figures.finding([]) == "63 steps for every model"


def test_two_panels_describe_their_points():
    picture = figures.loss_and_score({4: 2.0, 8: 1.0}, {4: 0.1, 8: 0.9}, title="They part")
    assert "They part" in picture.alt
    assert "share correct: 0.10 after 4, 0.90 after 8" in picture.alt
