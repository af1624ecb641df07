"""The figure on which every picture of the course is drawn: one size, one style, one description.

A `Picture` is a matplotlib Figure that is never registered with pyplot, so no figure stays in
memory and no picture appears twice. A notebook shows it 800 pixels wide, the width of GitHub's
column, with its description as alternative text and as text/plain.
"""

from __future__ import annotations

import textwrap
from contextlib import AbstractContextManager
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal, cast

from matplotlib import rc_context
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

WIDTH = 800  # pixels as shown
PNG_WIDTH = 1200  # pixels of the file: 1.5 for each pixel shown, for dense screens
PALETTE_SIZE = 128  # colors of the file; more make it larger, and nobody sees the difference

INK = "#222222"
FAINT = "#767676"  # the lightest gray that is still legible on white
GRID = "#E4E4E4"
# Okabe and Ito (2008), in an order that alternates dark and light; the yellow is too pale for
# lines. In gray prints some look alike except for marker and dash, so every line has its own.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), "-")

# Any rather than matplotlib's own type of keys, which its older versions do not have.
STYLE: dict[Any, Any] = {
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
    """A figure in the house style.

    Attributes:
        alt: Its description in words, with its numbers.
    """

    alt: str = ""

    def png(self, width: int = PNG_WIDTH) -> bytes:
        """Return the picture as a PNG with a palette; the same bytes every time.

        Args:
            width: Of the file, in pixels.
        """
        file = BytesIO()
        with house_style():
            dpi = width / self.get_figwidth()
            self.savefig(file, format="png", dpi=dpi, metadata={"Software": None})
        return with_palette(file)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        data = {"image/png": self.png(), "text/plain": self.alt or "A picture."}
        return data, {"image/png": {"width": WIDTH, "alt": self.alt}}


def with_palette(png: BytesIO) -> bytes:
    """Return the PNG with at most `PALETTE_SIZE` colors, which makes it about half as large.

    The fast octree keeps flat colors apart, and without dithering the edges of letters stay sharp.
    """
    from PIL import Image

    image = Image.open(png).convert("RGB")
    small = image.quantize(PALETTE_SIZE, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    # The octree averages similar colors, which makes the background a little darker than white.
    palette = small.getpalette() or []
    background = cast("int", small.getpixel((0, 0)))
    palette[3 * background : 3 * background + 3] = cast("tuple[int, ...]", image.getpixel((0, 0)))
    small.putpalette(palette)
    file = BytesIO()
    small.save(file, format="png", optimize=True)
    return file.getvalue()


def house_style() -> AbstractContextManager[None]:
    """Within the block, matplotlib draws in the style of the course."""
    return rc_context(STYLE)


def new_figure(height: float, *, title: str, alt: str) -> Picture:
    """An empty figure, 8 inches (800 pixels) wide.

    Args:
        height: In inches, without the title.
        title: Wrapped over as many lines as it needs; may be empty.
        alt: The description of the picture in words.
    """
    lines = textwrap.wrap(title, 72)
    with house_style():
        figsize = (WIDTH / 100, height + 0.25 * len(lines))
        fig = Picture(figsize=figsize, dpi=100, layout="constrained")
        if lines:
            fig.suptitle("\n".join(lines), x=0.008, ha="left")
    fig.alt = alt
    return fig


def axes(
    fig: Picture, *, xlabel: str = "", ylabel: str = "", grid: Literal["x", "y", "both"] = "y"
) -> Axes:
    """The figure's only axes, with grid lines for the values on one of them."""
    [ax] = subplots(fig)
    with house_style():
        ax.grid(False)
        ax.grid(True, axis=grid)
        ax.set_xlabel(xlabel)
        ax.set_ylabel(ylabel)
    return ax


def subplots(fig: Picture, rows: int = 1, columns: int = 1, **options: Any) -> Sequence[Axes]:
    """The axes of a grid of panels, row by row, in the house style.

    Args:
        fig: The figure to which they belong.
        rows: Panels from top to bottom.
        columns: Panels from left to right.
        options: Of `matplotlib.figure.Figure.subplots`.
    """
    with house_style():
        panels = fig.subplots(rows, columns, squeeze=False, **options)
    return cast("Sequence[Axes]", list(panels.flat))


def text_color(color: str) -> str:
    """The color, darkened as far as words on white need it (a contrast of 4.5, WCAG 2 AA)."""
    from matplotlib.colors import to_hex, to_rgb

    red, green, blue = to_rgb(color)
    shares = (percent / 100 for percent in range(100, -1, -1))
    shades = ((red * share, green * share, blue * share) for share in shares)
    return to_hex(next(shade for shade in shades if _contrast_on_white(shade) >= 4.5))


def _contrast_on_white(rgb: Sequence[float]) -> float:
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in rgb]
    red, green, blue = linear
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def footnote(fig: Picture, text: str) -> None:
    """Explain the marks of the figure in a line below its axes."""
    fig.supxlabel(text, fontsize=9, fontweight="normal", color=FAINT)
