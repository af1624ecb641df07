"""Lesson 04's figures: QLoRA's data flow, and accuracy by learning rate and rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from ift_course.plots.charts import summarize_seeds
from ift_course.plots.figure import (
    COLORS,
    DASHES,
    FAINT,
    INK,
    MARKERS,
    Picture,
    axes,
    footnote,
    new_figure,
    subplots,
)
from ift_course.plots.lora_figure import show_low_rank_update
from ift_course.plots.memory_bars import show_memory
from ift_course.plots.quantization import explore_levels, level_usage, relative_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "best_rate", "data_flow", "explore_levels", "level_usage", "rate_sweep", "relative_error",
    "show_low_rank_update", "show_memory",
]  # fmt: skip

FROZEN, TRAINED, GRADIENT = FAINT, COLORS[0], COLORS[3]
ItemScores = Sequence[Sequence[float]]  # of one arm at one rate: for each seed, 1 or 0 an item


def data_flow() -> Picture:
    """Draw one layer of QLoRA: what is stored, what is computed, and where gradients go.

    Dettmers et al. 2023, section 3, equation 5.
    """
    fig = new_figure(
        3.7,
        title="QLoRA: gradients pass through the frozen weights, and only A and B are updated",
        alt="Data flow of one QLoRA layer. The stored 4-bit weights and their 8-bit scales are "
        "dequantized to the compute dtype and multiplied with the input x. Beside that, x is "
        "multiplied with the trained A and then with B, and scaled by the constant alpha / r. The "
        "sum is the output y. In the backward pass, the gradient of y goes to B, to A, and through "
        "the dequantized weights to x, the output of the layer below. The 4-bit weights get no "
        "gradient.",
    )
    [ax] = subplots(fig)
    ax.set_axis_off()
    ax.set(xlim=(0, 10), ylim=(0, 5))
    _box(ax, 2.0, 3.5, 2.0, "stored: 4-bit codes,\n8-bit scales", FROZEN)
    _box(ax, 4.9, 3.5, 1.9, "dequantize\n(compute dtype)", FROZEN)
    _box(ax, 7.0, 2.55, 0.9, "W x", INK)
    _box(ax, 3.0, 0.75, 1.2, "A\nr × in", TRAINED)
    _box(ax, 4.9, 0.75, 1.2, "B\nout × r", TRAINED)
    _box(ax, 6.8, 0.75, 1.3, "× α / r", INK)
    _box(ax, 8.5, 1.65, 0.5, "+", INK)
    ax.text(0.5, 2.15, "x", fontsize=15, ha="center", va="center")
    ax.text(9.7, 2.15, "y", fontsize=15, ha="center", va="center")
    for start, end in (
        ((4.0, 3.95), (4.9, 3.95)), ((6.8, 3.95), (7.4, 3.45)), ((0.75, 2.3), (7.0, 2.95)),
        ((0.75, 2.0), (3.0, 1.25)), ((4.2, 1.2), (4.9, 1.2)), ((6.1, 1.2), (6.8, 1.2)),
        ((7.9, 2.85), (8.55, 2.5)), ((8.1, 1.35), (8.5, 1.85)), ((9.0, 2.1), (9.5, 2.15)),
    ):  # fmt: skip
        _arrow(ax, start, end, INK, "-")
    for start, end in (
        ((9.5, 1.85), (9.0, 1.8)), ((8.55, 1.68), (8.1, 1.02)), ((6.8, 0.9), (6.1, 0.9)),
        ((4.9, 0.9), (4.2, 0.9)), ((3.0, 0.95), (0.6, 1.85)), ((8.5, 2.25), (7.9, 2.62)),
        ((7.0, 2.65), (0.8, 2.12)),
    ):  # fmt: skip
        _arrow(ax, start, end, GRADIENT, "--")
    ax.text(5.85, 4.6, "no gradient up here: the 4-bit weights are never trained", color=GRADIENT,
            ha="center", fontsize=10)  # fmt: skip
    ax.text(4.9, 0.3, "A and B: bf16 or float32, the only parameters with an optimizer state",
            color=TRAINED, ha="center", fontsize=10)  # fmt: skip
    footnote(fig, "solid: forward · dashed: gradients · gray: frozen · blue: trained")
    return fig


def best_rate(rates: Sequence[float], scores: Sequence[ItemScores]) -> float:
    """Return the rate with the highest mean score over all seeds.

    Args:
        rates: The learning rates.
        scores: For each rate, one list of item scores per seed.
    """
    return max(
        zip(rates, scores, strict=True), key=lambda pair: fmean(fmean(seed) for seed in pair[1])
    )[0]


def rate_sweep(
    rates: Sequence[float], arms: Mapping[str, Sequence[ItemScores]], *, n_examples: int
) -> Picture:
    """Accuracy over the learning rate, a line for each arm; the title names the highest points.

    Args:
        rates: The learning rates, ascending.
        arms: For each arm and each rate, one list of item scores per seed.
        n_examples: How many examples the models were tuned on.
    """
    by_rate: dict[float, list[str]] = {}
    for name, scores in arms.items():
        by_rate.setdefault(best_rate(rates, scores), []).append(name)
    title = f"With {n_examples} examples, this grid's highest point is " + ", and ".join(
        f"{rate:g} for {', '.join(names)}" for rate, names in by_rate.items()
    )
    lines, fig = [], new_figure(4.2, title=title, alt="")
    xlabel = "maximum of the learning rate · bars: 95 % interval over seeds and questions"
    ax = axes(fig, xlabel=xlabel, ylabel="share correct")
    for i, (name, points) in enumerate(arms.items()):
        means, intervals = zip(*(summarize_seeds(seeds, (0, 1)) for seeds in points), strict=True)
        heights = [fmean(of_seeds) for of_seeds in means]
        shift = 1.05 ** (i - (len(arms) - 1) / 2)  # so that the intervals stand side by side
        xs = [rate * shift for rate in rates]
        bars = [x or (y, y) for x, y in zip(intervals, heights, strict=True)]
        ax.vlines(xs, *zip(*bars, strict=True), color=COLORS[i], linewidth=1.5)
        ax.plot(xs, heights, color=COLORS[i], marker=MARKERS[i], linestyle=DASHES[i],
                markersize=7, label=name)  # fmt: skip
        values = zip(heights, rates, strict=True)
        lines.append(f"{name}: {', '.join(f'{y:.2f} at {x:g}' for y, x in values)}")
    ax.set_xscale("log")
    ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
    ax.minorticks_off()
    ax.set_ylim(0, 1)
    fig.legend(loc="outside lower center", ncols=len(arms), frameon=False, handlelength=4)
    fig.alt = f"Line chart, {title}. Share correct: {'; '.join(lines)}."
    return fig


def _box(ax: Axes, left: float, bottom: float, width: float, text: str, color: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    style = "round,pad=0,rounding_size=0.1"
    ax.add_patch(FancyBboxPatch((left, bottom), width, 0.9, boxstyle=style, facecolor="white",
                                edgecolor=color, linewidth=2))  # fmt: skip
    ax.text(left + width / 2, bottom + 0.45, text, ha="center", va="center", fontsize=10)


def _arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], color: str, line: str
) -> None:
    arrow = {"arrowstyle": "-|>", "color": color, "lw": 1.5, "linestyle": line, "shrinkA": 1,
             "shrinkB": 1}  # fmt: skip
    ax.annotate("", end, start, arrowprops=arrow)
