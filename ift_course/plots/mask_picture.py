"""The picture of the loss-mask viewer: a box for each token, legible in gray, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ift_course.plots.figure import COLORS, FAINT, INK, WIDTH, Picture, new_figure
from ift_course.plots.mask_tokens import COLUMNS, KINDS, Token, broken_lines, count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINE = 30  # pixels from one line of tokens to the next
GAP = 12  # additional pixels between sequences
CAPTION = 24  # pixels of a line above a sequence
LEGEND = 46
MARGIN = 12
LETTER = (WIDTH - 2 * MARGIN) / (COLUMNS + 1)  # width of a character

FILL = {
    "trained": {"facecolor": COLORS[0], "edgecolor": COLORS[0]},
    "ignored": {"facecolor": "white", "edgecolor": "#B8B8B8"},
    "padding": {"facecolor": "#EFEFEF", "edgecolor": "#9A9A9A", "hatch": "////"},
}
INKS = {"trained": "white", "ignored": INK, "padding": FAINT}


def draw(rows: Sequence[Sequence[Token]], alt: str, captions: Sequence[str] = ()) -> Picture:
    """Draw all sequences below a legend, on a figure as high as they need.

    Args:
        rows: The tokens of each sequence.
        alt: The picture in words.
        captions: A line above each sequence; without them there are none.
    """
    blocks = [list(broken_lines(row, compact=bool(captions))) for row in rows]
    head = CAPTION if captions else 0
    height = LEGEND + sum(head + LINE * len(lines) + GAP for lines in blocks)
    fig = new_figure(height / 100, title="", alt=alt)
    fig.set_layout_engine("none")
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    ax.set_xlim(0, WIDTH)
    ax.set_ylim(height, 0)
    _draw_legend(ax, rows, counted=not captions)
    top = LEGEND
    for index, lines in enumerate(blocks):
        if captions:
            ax.text(MARGIN, top + CAPTION / 2, captions[index], fontsize=11, va="center")
        top += head
        for line in lines:
            left = MARGIN
            for token in line:
                left = _draw_token(ax, left, top, token)
            top += LINE
        top += GAP
    return fig


def _draw_token(ax: Axes, left: float, top: float, token: Token) -> float:
    """Draw one box with its text, and return where the next one begins, in pixels."""
    from matplotlib.patches import FancyBboxPatch

    width = len(token.text) * LETTER
    fill = FILL[token.kind]
    # Round ends and a thick frame mark a special token.
    rounding = 9 if token.special else 2
    ax.add_patch(
        FancyBboxPatch(
            (left + 1, top + 2),
            width - 2,
            LINE - 7,
            boxstyle=f"round,pad=0,rounding_size={min(rounding, width / 2 - 1)}",
            linewidth=1.8 if token.special else 0.8,
            facecolor=fill["facecolor"],
            edgecolor=INK if token.special else fill["edgecolor"],
            hatch=fill.get("hatch"),
        )
    )
    ax.text(
        left + width / 2,
        top + LINE / 2 - 1,
        token.text,
        family="DejaVu Sans Mono",
        fontsize=10.5,
        fontweight="bold" if token.kind == "trained" else "normal",
        color=INKS[token.kind],
        ha="center",
        va="center",
        parse_math=False,
        bbox={"facecolor": "#EFEFEF", "edgecolor": "none", "pad": 0.5}
        if token.kind == "padding"
        else None,
    )
    return left + width


def _draw_legend(ax: Axes, rows: Sequence[Sequence[Token]], *, counted: bool) -> None:
    left = MARGIN
    for kind in KINDS:
        if count(rows, kind) or kind != "padding":
            text = f"{kind}: {count(rows, kind)}" if counted else kind
            token = Token(text, kind, False)
            left = _draw_token(ax, left, 6, token) + 8
    left = _draw_token(ax, left, 6, Token("special", "ignored", True)) + 8
    ax.text(left, 6 + LINE / 2 - 1, "· space   ↵ newline", fontsize=10, color=FAINT, va="center")
