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
    assert list(lines) == ["good", "30 % flawed", "60 % flawed"]
    assert list(lines["60 % flawed"]) == [100, 1000]
    assert lines["60 % flawed"][100] == [[1.0, 1.0, 0.0, 0.0]] * 3
    assert figures.by_share([]) == {}


def test_the_explorer_shows_training_data_scores_and_answers(results):
    view = figures.explorer_view(results)
    html = view(100, "60 % flawed")
    assert "0.500" in html and "✗" in html and "✓" in html and "That." in html
    assert "Not measured" in view(300, "good")
    for values in zip(*([v[0], v[-1]] for v in figures.options().values()), strict=True):
        assert view(*values)


def test_the_origin_of_results(results):
    assert figures.origin(results[:3]) == "3 seeds, 2026-01-02, a machine"
    assert figures.origin(results[:4]) == "1 to 3 seeds, 2026-01-02, a machine"


def test_the_title_says_how_few_good_examples_are_certain_to_beat_the_most_flawed(a_result):
    items = {LimaConfig(30): "11100000", LimaConfig(100): "11111111", LimaConfig(1000): "11111111"}
    items[LimaConfig(1000, 0.6)] = "11000000"
    results = [a_result(config, seed, items=x) for config, x in items.items() for seed in (0, 1, 2)]
    assert figures.finding(results).startswith(
        "100 good examples beat 1,000 with 60 % flawed by 0.75 ("
    )
    worse = [x for x in results if x.config.flawed]
    assert figures.finding(worse).startswith("No number of good examples is certain to beat 1,000")
    assert figures.finding([]) == "63 steps for every model"


def test_controls_are_no_part_of_the_grid_of_curves(results, a_result):
    control = a_result(LimaConfig(1000, 0.6, good_only=True), 0, items="1111")
    assert figures.by_share([*results, control]) == figures.by_share(results)


def test_a_difference_has_the_interval_of_a_claim_and_one_seed_has_none(results):
    good, flawed = (figures.arm(results, LimaConfig(100, share)) for share in (0.0, 0.3))
    assert figures.difference(good, flawed).startswith("1.000 (")
    assert figures.difference(good[:1], flawed[:1]).startswith("1.000 (0.")


def test_the_cost_of_flaws_is_the_difference_to_good_examples(results):
    costs = figures.costs(results)
    assert list(costs) == [
        (name, n) for name in ("30 % flawed", "60 % flawed") for n in (100, 1000)
    ]
    assert costs["60 % flawed", 100].startswith("0.500 (")


def test_two_panels_describe_their_points():
    picture = figures.loss_and_score({8: 2.0, 16: 1.0}, {8: [0.0, 1.0], 16: [1.0, 1.0]})
    assert "The loss and the score of one run" in picture.alt
    assert "share correct: 0.50 after 8, 1.00 after 16" in picture.alt
    _, right = picture.axes
    assert list(right.get_xticks()) == [8, 16] and right.get_ylim()[1] > 1


def test_the_title_of_the_panels_says_that_loss_and_score_part_only_if_they_do():
    losses = {8: 2.0, 16: 1.0, 24: 0.5}
    assert "keeps falling" in figures.parting(losses, {8: 0.1, 16: 0.8, 24: 0.7})
    assert "keeps falling" not in figures.parting(losses, {8: 0.1, 16: 0.8, 24: 0.9})
    assert "keeps falling" not in figures.parting({8: 2.0, 16: 1.0, 24: 1.5}, {8: 0, 16: 1, 24: 0})
