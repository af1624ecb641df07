"""A memory estimate as bars: in a terminal with rich, in a lesson as a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ift_course.memory import GB, MemoryEstimate

if TYPE_CHECKING:
    from rich.table import Table

    from ift_course.plots.figure import Picture

# The parts of a bar. Some items are too small to be drawn on their own.
PIECES = {
    "weights": ("weights", "quantization constants", "adapters"),
    "optimizer": ("optimizer",),
    "gradients": ("gradients",),
    "activations": ("activations", "half-precision copies", "temporaries"),
    "logits": ("logits",),
    "CUDA context (assumed)": ("CUDA context",),
}


def table(estimate: MemoryEstimate, width: int = 30) -> Table:
    """A line for each item at the peak of memory, largest first, with bars `width` cells long."""
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


def show_memory(
    estimates: Mapping[str, MemoryEstimate], *, title: str = "", gpu_gb: float | None = None
) -> Picture:
    """One bar for each estimate, with its parts stacked.

    Args:
        estimates: Estimates by name.
        title: Above the figure.
        gpu_gb: Memory of a GPU in GB of 2^30 bytes, drawn as a line.
    """
    import textwrap

    from ift_course.plots.figure import COLORS, INK, axes, new_figure

    fig = new_figure(1.7 + 0.6 * len(estimates), title=title, alt=_alt_text(estimates, title))
    ax = axes(fig, xlabel="GB (2³⁰ bytes) at the memory peak of a step", grid="x")
    ends = [0.0] * len(estimates)
    for (piece, items), color in zip(PIECES.items(), COLORS, strict=False):
        sizes = [sum(x.items.get(item, 0) for item in items) / GB for x in estimates.values()]
        ax.barh(range(len(estimates)), sizes, left=ends, height=0.56, color=color, label=piece,
                edgecolor="white", linewidth=0.8)  # fmt: skip
        ends = [end + size for end, size in zip(ends, sizes, strict=True)]
    room = 0.1 * max([*ends, gpu_gb or 0])  # that a number takes
    for y, end in enumerate(ends):
        hides_line = gpu_gb is not None and end < gpu_gb < end + room
        ax.annotate(f"{end:.1f}", (gpu_gb if hides_line else end, y), xytext=(6, 0),
                    textcoords="offset points", va="center", fontweight="bold", zorder=4,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip
    if gpu_gb:
        ax.axvline(gpu_gb, color=INK, linewidth=1.4, linestyle="--")
        ax.annotate(f"a GPU with {gpu_gb:g} GB", (gpu_gb, 1), xycoords=("data", "axes fraction"),
                    xytext=(4, 2), textcoords="offset points", fontsize=10)  # fmt: skip
    ax.set_xlim(0, 1.12 * max([*ends, gpu_gb or 0]))
    ax.set_yticks(range(len(estimates)), [textwrap.fill(name, 28) for name in estimates])
    ax.invert_yaxis()
    ax.spines["left"].set_visible(False)
    fig.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=10)
    return fig


def gigabytes(size: float) -> str:
    """A size in bytes as "5.2 GB", or as "80 MB" below 0.1 GB, of 2^30 and 2^20 bytes."""
    return f"{size / GB:.1f} GB" if abs(size) >= GB / 10 else f"{size / 2**20:.0f} MB"


def _alt_text(estimates: Mapping[str, MemoryEstimate], title: str) -> str:
    bars = []
    for name, x in estimates.items():
        parts = {piece: sum(x.items.get(i, 0) for i in items) for piece, items in PIECES.items()}
        summary = ", ".join(f"{piece} {gigabytes(size)}" for piece, size in parts.items() if size)
        bars.append(f"{name} {gigabytes(x.total)} ({summary})")
    return f"Stacked bar chart{', ' + title if title else ''}: {'; '.join(bars)}."
