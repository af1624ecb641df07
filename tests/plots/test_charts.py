"""Charts show their data, describe it in words, and leave no state behind."""

from types import SimpleNamespace

import pytest

from ift_course.evaluation.intervals import seeds_interval, two_level_interval
from ift_course.plots import charts

ARMS = {"base": [0.0, 0.0, 0.01], "SFT": [0.95, 0.97, 0.99]}
CLAIM = SimpleNamespace(statement="S holds", effect=0.5, interval=(0.4, 0.6), at_least=0.3,
                        at_most=None, bound="at least 0.3", holds=True)  # fmt: skip
PICTURES = {
    "loss": lambda: charts.loss_curve({"a": [3.0, 2.0, 1.0], "b": [3.0, 2.5]}, marks={"ln 9": 2.2}),
    "loss by factors": lambda: charts.loss_curve([3.0, 2.0, 1.5], marks={"ln 9": 2.2}, log=True),
    "bars": lambda: charts.bars_with_intervals(ARMS, title="T"),
    "lines": lambda: charts.lines_with_intervals([1, 4], {"a": [[0.1, 0.2], [0.5, 0.7]]}, log=True),
    "forest": lambda: charts.forest([CLAIM]),
    "pipeline": charts.pipeline,
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_deterministic_described_and_unknown_to_pyplot(name):
    import matplotlib.pyplot as plt

    before = dict(plt.rcParams)
    first, second = PICTURES[name](), PICTURES[name]()
    assert first.png(400) == second.png(400)
    assert plt.get_fignums() == [] and dict(plt.rcParams) == before
    data, metadata = first._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/png"]["alt"] == first.alt
    assert len(first.alt) > 30


@pytest.mark.parametrize("name", PICTURES)
def test_no_text_is_cut_at_the_edge(name):
    fig = PICTURES[name]()
    fig.draw_without_rendering()
    for text in [*fig.texts, *fig.axes[0].texts]:
        box = text.get_window_extent()
        assert box.x0 >= fig.bbox.x0 - 1 and box.x1 <= fig.bbox.x1 + 1, text.get_text()


def test_bars_are_means_with_dots_for_seeds_and_the_claims_interval():
    fig = charts.bars_with_intervals(ARMS, limits=None)
    ax = fig.axes[0]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([0.01 / 3, 0.97])
    assert [list(dots.get_offsets()[:, 0]) for dots in ax.collections] == list(ARMS.values())
    assert tuple(ax.lines[1].get_xdata()) == pytest.approx(seeds_interval(ARMS["SFT"]))
    assert "SFT 0.97" in fig.alt


def test_item_scores_are_drawn_with_the_interval_of_a_claim():
    items = [[1, 0, 1, 1, 1, 0, 1, 1]] * 3
    ax = charts.bars_with_intervals({"a": items}).axes[0]
    assert tuple(ax.lines[0].get_xdata()) == pytest.approx(two_level_interval(items))


def test_intervals_are_cut_at_the_limits_of_a_share():
    ax = charts.bars_with_intervals({"a": [0.8, 0.9, 1.0]}).axes[0]
    assert ax.lines[0].get_xdata()[1] == 1.0


def test_one_number_has_no_interval():
    assert "interval" not in charts.bars_with_intervals({"a": [0.5]}).alt


def test_line_names_do_not_overlap():
    arms = {f"arm {i}": [[0.1, 0.12], [0.5 + i / 500, 0.5 + i / 500]] for i in range(5)}
    fig = charts.lines_with_intervals([1, 2], arms)
    fig.draw_without_rendering()
    boxes = [t.get_window_extent() for t in fig.axes[0].texts]
    assert len(boxes) == 5
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_the_notebook_shows_a_picture_once_whether_or_not_pyplot_is_used():
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    draw = "from ift_course.plots import charts; charts.loss_curve([2.0, 1.0])"
    cells = [new_code_cell(draw), new_code_cell(f"import matplotlib.pyplot; {draw}")]
    notebook = new_notebook(cells=cells)
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    for cell in notebook.cells:
        (output,) = cell.outputs
        assert output["metadata"]["image/png"]["alt"].startswith("Line chart")
        assert output["data"]["text/plain"].startswith("Line chart")
