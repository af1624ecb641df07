"""The sequences of a batch as bars of examples and unused room, without and with packing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ift_course.from_scratch.packing import best_fit_decreasing
from ift_course.plots.figure import COLORS, INK, Picture, footnote, new_figure, subplots

ROW_HEIGHT = 0.2  # inches from one sequence to the next
if TYPE_CHECKING:
    from matplotlib.axes import Axes

HATCH: dict[str, Any] = {
    "facecolor": "#EFEFEF",
    "edgecolor": "#9A9A9A",
    "hatch": "////",
    "linewidth": 0,
}


def show_packing(lengths: Sequence[int], capacity: int, *, title: str = "") -> Picture:
    """Draw the same examples twice: each in a padded sequence of its own, and packed.

    Packed sequences appear in the order in which best-fit decreasing fills them.

    Args:
        lengths: Of the examples, in tokens, at most `capacity` each.
        capacity: Length of a sequence, in tokens.
        title: Above the figure.
    """
    padded = [[i] for i in range(len(lengths))]
    packed = best_fit_decreasing(lengths, capacity)
    filled = [sum(lengths) / (len(rows) * capacity) for rows in (padded, packed)]
    summary = "; ".join(
        f"{name}: {len(rows)} sequences of {capacity} tokens, {share:.0%} of them filled"
        for name, rows, share in zip(("padded", "packed"), (padded, packed), filled, strict=True)
    )
    height = 0.9 + ROW_HEIGHT * (len(padded) + len(packed)) + 0.7
    fig = new_figure(height, title=title, alt=f"Sequences of tokens, {summary}.")
    panels = subplots(fig, 2, 1, sharex=True, height_ratios=[len(padded) + 1, len(packed) + 1])
    for ax, name, rows, share in zip(
        panels, ("padded", "packed"), (padded, packed), filled, strict=True
    ):
        _draw_rows(ax, rows, lengths, capacity)
        ax.set_title(f"{name}: {len(rows)} sequences, {share:.0%} filled", loc="left", fontsize=11)
    panels[1].set_xlabel("token")
    footnote(fig, "colored: an example, with its length · hatched: unused")
    return fig


def _draw_rows(
    ax: Axes, rows: Sequence[Sequence[int]], lengths: Sequence[int], capacity: int
) -> None:
    """Draw sequences of examples, given as indices; an example has one color in both panels."""
    shades = COLORS[:6]
    for y, row in enumerate(rows):
        start = 0
        for index in row:
            length, color = lengths[index], shades[index % len(shades)]
            ax.barh(y, length, left=start, height=0.8, color=color, alpha=0.55, edgecolor="white")
            if length > capacity / 25:
                ax.text(start + length / 2, y, str(length), ha="center", va="center",
                        fontsize=8.5, color=INK)  # fmt: skip
            start += length
        if start < capacity:
            ax.barh(y, capacity - start, left=start, height=0.8, **HATCH)
    ax.set_xlim(0, capacity)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_yticks([])
    ax.grid(False)
    for side in ("left", "top", "right"):
        ax.spines[side].set_visible(False)
