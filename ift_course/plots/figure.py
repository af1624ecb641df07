"""The sheet every picture of the course is drawn on: one size, one look, and a text of its own.

A `Picture` is a matplotlib Figure that is never registered with pyplot, so nothing leaks and no
picture appears twice. A notebook shows it as a PNG 800 pixels wide, GitHub's column, with its
description as alternative text and as text/plain.
"""

from __future__ import annotations

import textwrap
from io import BytesIO

from matplotlib import rc_context
from matplotlib.figure import Figure

WIDTH = 800  # pixels as shown
SHARPNESS = 2  # pixels of the file for each pixel shown, for dense screens

INK = "#222222"
FAINT = "#767676"  # the lightest gray that is still legible on white
GRID = "#E4E4E4"
# Okabe and Ito (2008), in an order that alternates dark and light; the yellow is too pale for
# lines. Gray prints keep some apart only by marker and dash, so every line has its own.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), "-")

STYLE = {
    "font.size": 11,
    "figure.titlesize": 13,
    "figure.titleweight": "bold",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "lines.linewidth": 2,
    "hatch.linewidth": 0.6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


class Picture(Figure):
    """A figure in the house style. `alt` is its description in words."""

    alt: str = ""

    def png(self, width: int = WIDTH * SHARPNESS) -> bytes:
        """The picture as a PNG of that many pixels across; the same bytes every time."""
        file = BytesIO()
        with rc_context(STYLE):
            dpi = width / self.get_figwidth()
            self.savefig(file, format="png", dpi=dpi, metadata={"Software": None})
        return file.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None):
        data = {"image/png": self.png(), "text/plain": self.alt or "A picture."}
        return data, {"image/png": {"width": WIDTH, "alt": self.alt}}


def picture(height: float, *, title: str, alt: str) -> Picture:
    """An empty sheet, 8 inches (800 pixels) wide and `height` inches high, the title extra."""
    lines = textwrap.wrap(title, 72)
    with rc_context(STYLE):
        figsize = (WIDTH / 100, height + 0.25 * len(lines))
        sheet = Picture(figsize=figsize, dpi=100, layout="constrained")
        if lines:
            sheet.suptitle("\n".join(lines), x=0.008, ha="left")
    sheet.alt = alt
    return sheet


def axes(sheet: Picture, *, xlabel: str = "", ylabel: str = "", grid: str = "y"):
    """The sheet's one pair of axes, with grid lines that mark values of "x" or "y"."""
    with rc_context(STYLE):
        drawn = sheet.subplots()
        drawn.grid(False)
        drawn.grid(True, axis=grid)
        drawn.set_xlabel(xlabel)
        drawn.set_ylabel(ylabel)
    return drawn


def footnote(sheet: Picture, text: str) -> None:
    """A line below the axes that says what the marks mean."""
    sheet.supxlabel(text, fontsize=9, fontweight="normal", color=FAINT)
