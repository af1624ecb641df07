"""A memory estimate as bars: in a terminal with rich, in a lesson as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ift_course.memory import GB, MemoryEstimate

if TYPE_CHECKING:
    from rich.table import Table

    from ift_course.plots.figure import Picture

# What a picture draws as one piece: some items are too thin to be seen.
PIECES = {
    "weights": ("weights", "quantization constants", "adapters"),
    "optimizer": ("optimizer",),
    "gradients": ("gradients",),
    "activations": ("activations", "half-precision copies", "temporaries"),
    "logits": ("logits",),
    "CUDA context (assumed)": ("CUDA context",),
}


def table(estimate: MemoryEstimate, width: int = 30) -> Table:
    """One line an item of the fullest moment, largest first, with bars `width` cells long."""
    from rich.bar import Bar
    from rich.table import Table

    lines = Table(box=None, pad_edge=False, show_header=False)
    lines.add_column()
    lines.add_column(justify="right")
    lines.add_column(width=width)
    longest = max(estimate.items.values())
    for name, size in sorted(estimate.items.items(), key=lambda item: -item[1]):
        bar = Bar(longest, 0, size, width=width, color="cyan")
        lines.add_row(name, gigabytes(size), bar)
    lines.add_row("[bold]together[/bold]", f"[bold]{gigabytes(estimate.total)}[/bold]", "")
    return lines


def picture(
    estimates: Mapping[str, MemoryEstimate], *, title: str = "", card: float | None = None
) -> Picture:
    """One bar for each estimate, stacked by what it is made of.

    card: GB of a card, drawn as a line.
    """
    import textwrap

    from ift_course.plots.figure import COLORS, INK, axes
    from ift_course.plots.figure import picture as sheet_of

    sheet = sheet_of(1.7 + 0.6 * len(estimates), title=title, alt=_told(estimates, title))
    ax = axes(sheet, xlabel="GB (2³⁰ bytes) at the fullest moment of a step", grid="x")
    ends = [0.0] * len(estimates)
    for (piece, items), color in zip(PIECES.items(), COLORS, strict=False):
        sizes = [sum(x.items.get(item, 0) for item in items) / GB for x in estimates.values()]
        ax.barh(range(len(estimates)), sizes, left=ends, height=0.56, color=color, label=piece,
                edgecolor="white", linewidth=0.8)  # fmt: skip
        ends = [end + size for end, size in zip(ends, sizes, strict=True)]
    for y, end in enumerate(ends):
        ax.annotate(f"{end:.1f}", (end, y), xytext=(6, 0), textcoords="offset points",
                    va="center", fontweight="bold", zorder=4,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip
    if card:
        ax.axvline(card, color=INK, linewidth=1.4, linestyle="--")
        ax.annotate(f"a card of {card:g} GB", (card, 1), xycoords=("data", "axes fraction"),
                    xytext=(4, 2), textcoords="offset points", fontsize=10)  # fmt: skip
    ax.set_xlim(0, 1.12 * max([*ends, card or 0]))
    ax.set_yticks(range(len(estimates)), [textwrap.fill(name, 28) for name in estimates])
    ax.invert_yaxis()
    ax.spines["left"].set_visible(False)
    sheet.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=10)
    return sheet


def gigabytes(size: float) -> str:
    """As "5.2 GB", and "80 MB" below a tenth of one. Of 2^30 and 2^20 bytes, as cards count."""
    return f"{size / GB:.1f} GB" if abs(size) >= GB / 10 else f"{size / 2**20:.0f} MB"


def _told(estimates: Mapping[str, MemoryEstimate], title: str) -> str:
    bars = []
    for name, x in estimates.items():
        parts = {piece: sum(x.items.get(i, 0) for i in items) for piece, items in PIECES.items()}
        told = ", ".join(f"{piece} {gigabytes(size)}" for piece, size in parts.items() if size)
        bars.append(f"{name} {gigabytes(x.total)} ({told})")
    return f"Stacked bar chart{', ' + title if title else ''}: {'; '.join(bars)}."
