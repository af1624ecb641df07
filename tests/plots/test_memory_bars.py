"""The bars of a memory estimate show its numbers, in words, too."""

import pytest

from ift_course.memory import GB, estimate_memory
from ift_course.plots.memory_bars import PIECES, gigabytes, show_memory, table

ESTIMATES = {
    method: estimate_memory("Llama-3.2-1B", method, seq=1024)
    for method in ("full", "lora", "qlora")
}


def test_the_pieces_of_a_bar_add_up_to_the_estimate():
    ax = show_memory(ESTIMATES).axes[0]
    for bars, estimate in zip(zip(*ax.containers, strict=True), ESTIMATES.values(), strict=True):
        assert sum(bar.get_width() for bar in bars) == pytest.approx(estimate.total / GB)


def test_every_item_of_an_estimate_belongs_to_one_piece():
    items = [item for items in PIECES.values() for item in items]
    assert len(items) == len(set(items))
    for estimate in ESTIMATES.values():
        for snapshot in estimate.snapshots:
            assert set(snapshot.items) <= set(items)


def test_the_figure_describes_its_numbers_and_shows_the_gpu():
    fig = show_memory(ESTIMATES, title="T", gpu_gb=12)
    for name, estimate in ESTIMATES.items():
        assert f"{name} {gigabytes(estimate.total)}" in fig.alt
    assert fig.png(400) == show_memory(ESTIMATES, title="T", gpu_gb=12).png(400)
    assert [list(line.get_xdata()) for line in fig.axes[0].lines] == [[12, 12]]


def test_the_table_has_a_line_for_each_item_and_one_for_their_sum():
    estimate = ESTIMATES["qlora"]
    names = list(table(estimate).columns[0].cells)
    assert names[:-1] == sorted(estimate.items, key=lambda name: -estimate.items[name])


def test_small_sizes_are_in_megabytes():
    assert gigabytes(5.25 * GB) == "5.2 GB"
    assert gigabytes(80 * 2**20) == "80 MB"
