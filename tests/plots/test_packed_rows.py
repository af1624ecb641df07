"""The figure of packing describes itself in words and contains every token."""

from ift_course.plots.packed_rows import show_packing


def test_padded_and_packed_hold_the_same_tokens():
    lengths = [30, 10, 25, 5, 14, 22]
    fig = show_packing(lengths, 40, title="Packing")
    assert "padded: 6 sequences of 40 tokens, 44% of them filled" in fig.alt
    assert "packed: 3 sequences of 40 tokens, 88% of them filled" in fig.alt
    for ax in fig.axes:
        bars = [b for b in ax.patches if not b.get_hatch()]
        assert sorted(round(b.get_width()) for b in bars) == sorted(lengths)
        total = sum(round(b.get_width()) for b in ax.patches)
        assert total % 40 == 0


def test_the_picture_is_as_wide_as_a_page():
    assert show_packing([3, 4], 8).png(800)[:8] == b"\x89PNG\r\n\x1a\n"
