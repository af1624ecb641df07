"""Rows of a batch as bars: where the records are, and how much of a row is nothing.

show_packing(lengths, capacity=64)     the same records padded and packed, one above the other
"""

from __future__ import annotations

from collections.abc import Sequence

from ift_course.from_scratch.packing import best_fit_decreasing
from ift_course.plots.figure import COLORS, INK, Picture, footnote, picture

ROW = 0.2  # inches from one row to the next
HATCH = {"facecolor": "#EFEFEF", "edgecolor": "#9A9A9A", "hatch": "////", "linewidth": 0}


def show_packing(lengths: Sequence[int], capacity: int, *, title: str = "") -> Picture:
    """Two panels with the same records: each in a row of its own, padded, and packed.

    lengths: of the records in tokens, at most `capacity` each. Rows stand in the order in which
    best-fit decreasing fills them.
    """
    padded = [[length] for length in lengths]
    packed = [[lengths[i] for i in items] for items in best_fit_decreasing(lengths, capacity)]
    filled = [sum(lengths) / (len(rows) * capacity) for rows in (padded, packed)]
    told = "; ".join(
        f"{name}: {len(rows)} rows of {capacity} places, {share:.0%} of them filled"
        for name, rows, share in zip(("padded", "packed"), (padded, packed), filled, strict=True)
    )
    height = 0.9 + ROW * (len(padded) + len(packed)) + 0.7
    sheet = picture(height, title=title, alt=f"Rows of tokens, {told}.")
    panels = sheet.subplots(
        2, 1, sharex=True, height_ratios=[len(padded) + 1, len(packed) + 1], squeeze=True
    )
    for ax, name, rows, share in zip(
        panels, ("padded", "packed"), (padded, packed), filled, strict=True
    ):
        _draw(ax, rows, capacity)
        ax.set_title(f"{name}: {len(rows)} rows, {share:.0%} filled", loc="left", fontsize=11)
    panels[1].set_xlabel("token")
    footnote(sheet, "colored: a record, with its length · hatched: padding")
    return sheet


def _draw(ax, rows: Sequence[Sequence[int]], capacity: int) -> None:
    shades = COLORS[:6]
    number = 0
    for y, row in enumerate(rows):
        start = 0
        for length in row:
            color = shades[number % len(shades)]
            ax.barh(y, length, left=start, height=0.8, color=color, alpha=0.55, edgecolor="white")
            if length > capacity / 25:
                ax.text(start + length / 2, y, str(length), ha="center", va="center",
                        fontsize=8.5, color=INK)  # fmt: skip
            start, number = start + length, number + 1
        if start < capacity:
            ax.barh(y, capacity - start, left=start, height=0.8, **HATCH)
    ax.set_xlim(0, capacity)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_yticks([])
    ax.grid(False)
    for side in ("left", "top", "right"):
        ax.spines[side].set_visible(False)
