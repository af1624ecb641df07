"""Figures of a grid show gaps, and distinguish stored results from those of this run."""

import pytest

from ift_course.evaluation.intervals import two_level_interval
from ift_course.plots.grid_figures import curves, explore, heat

SEEDS = [[1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 1.0, 0.0]]
STORED = {"curated": {30: SEEDS, 1000: SEEDS}, "60 % flawed": {30: SEEDS}}
LIVE = {"60 % flawed": {1000: SEEDS}}
NOTE = "5 seeds, 2026-01-02 to 2026-01-03, a machine with a rather long name, 64 cores"
PICTURES = {
    "both": lambda: curves(STORED, LIVE, title="T", xlabel="n", level=("all", 0.9), note=NOTE),
    "live alone": lambda: curves({}, LIVE, title="T", xlabel="n"),
    "heat": lambda: heat({("30", "good"): 0.5}, title="T", xlabel="x", ylabel="y", note=NOTE),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_deterministic_described_and_whole(name):
    first, second = PICTURES[name](), PICTURES[name]()
    assert first.png(400) == second.png(400)
    assert "0.6" in first.alt or "0.5" in first.alt
    for text in [*first.texts, *first.axes[0].texts, first._supxlabel]:
        if text:
            box = text.get_window_extent()
            assert box.x0 >= first.bbox.x0 - 1 and box.x1 <= first.bbox.x1 + 1, text.get_text()


def test_live_points_are_apart_from_stored_ones_and_have_the_claims_interval():
    fig = PICTURES["both"]()
    assert "60 % flawed (live): 0.67 at 1000" in fig.alt
    lines = [(line.get_xdata(), line.get_ydata()) for line in fig.axes[0].lines]
    [means] = [ys for xs, ys in lines if len(xs) == 2 and xs[0] < xs[1] and xs[1] > 900]
    assert tuple(means) == pytest.approx((8 / 12, 8 / 12))
    low, high = two_level_interval(SEEDS)
    bars = {xs[0]: ys for xs, ys in lines if len(xs) == 2 and xs[0] == xs[1]}
    assert len(bars) == 4  # no interval covers another
    assert all(tuple(ys) == pytest.approx((max(low, 0), min(high, 1))) for ys in bars.values())


def test_a_table_may_have_gaps():
    fig = heat({("30", "a"): 0.1, ("60", "b"): 0.9}, title="T", xlabel="x", ylabel="y")
    assert sorted(text.get_text() for text in fig.axes[0].texts) == ["0.10", "0.90"]


def test_the_sliders_choose_what_is_seen():
    explorer = explore(
        {"size": [1, 10], "kind": ["good", "bad"]}, lambda size, kind: f"{kind} {size}", "all"
    )
    size, kind, html = explorer.widget.children
    assert html.value == "good 1"
    size.value, kind.value = 10, "bad"
    assert html.value == "bad 10"
    assert explorer.static == "all"
