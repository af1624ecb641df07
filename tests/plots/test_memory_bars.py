"""The bars of a estimate show its numbers, in words too."""

import pytest

from ift_course.memory import GB, estimate_memory
from ift_course.plots.memory_bars import PIECES, gigabytes, picture, table

LEDGERS = {
    method: estimate_memory("Llama-3.2-1B", method, seq=1024)
    for method in ("full", "lora", "qlora")
}


def test_the_pieces_of_a_bar_add_up_to_the_ledger():
    ax = picture(LEDGERS).axes[0]
    for bars, made in zip(zip(*ax.containers, strict=True), LEDGERS.values(), strict=True):
        assert sum(bar.get_width() for bar in bars) == pytest.approx(made.total / GB)


def test_every_item_of_a_ledger_belongs_to_one_piece():
    drawn = [item for items in PIECES.values() for item in items]
    assert len(drawn) == len(set(drawn))
    for made in LEDGERS.values():
        for moment in made.snapshots:
            assert set(moment.items) <= set(drawn)


def test_the_picture_says_its_numbers_and_shows_the_card():
    sheet = picture(LEDGERS, title="T", card=12)
    for name, made in LEDGERS.items():
        assert f"{name} {gigabytes(made.total)}" in sheet.alt
    assert sheet.png(400) == picture(LEDGERS, title="T", card=12).png(400)
    assert [list(line.get_xdata()) for line in sheet.axes[0].lines] == [[12, 12]]


def test_the_table_has_a_line_an_item_and_their_sum():
    made = LEDGERS["qlora"]
    names = list(table(made).columns[0].cells)
    assert names[:-1] == sorted(made.items, key=lambda name: -made.items[name])


def test_small_sizes_are_told_in_megabytes():
    assert gigabytes(5.25 * GB) == "5.2 GB"
    assert gigabytes(80 * 2**20) == "80 MB"
