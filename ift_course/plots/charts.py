"""Charts in one style. Each function returns a matplotlib Figure whose `.alt` has its numbers.

charts.bars_with_intervals({"base": [0, 0, 0], "SFT": [0.97, 0.98, 0.99]}, xlabel="accuracy")
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from ift_course.evaluation.intervals import Interval, seeds_interval, two_level_interval
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
    text_color,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Seeds = Sequence[float] | Sequence[Sequence[float]]


class Effect(Protocol):
    """The parts of a claim that `forest` draws; `ift_course.claims.claim.Claim` has them."""

    @property
    def statement(self) -> str: ...
    @property
    def effect(self) -> float: ...
    @property
    def interval(self) -> tuple[float, float]: ...
    @property
    def at_least(self) -> float | None: ...
    @property
    def at_most(self) -> float | None: ...
    @property
    def bound(self) -> str: ...
    @property
    def holds(self) -> bool: ...


def loss_curve(
    losses: Sequence[float] | Mapping[str, Sequence[float]],
    *,
    title: str = "",
    ylabel: str = "loss (nats per token)",
    xlabel: str = "step",
    marks: Mapping[str, float] | None = None,
    log: bool = False,
) -> Picture:
    """Loss by step for one or several runs: a moving mean, with the raw values in a pale line.

    Args:
        losses: Of one run, or of several runs by name.
        title: Above the chart.
        ylabel: What is measured, with its unit.
        xlabel: What the steps are.
        marks: Horizontal lines by name, such as {"guessing evenly": 7.6}.
        log: The steps grow by factors, because most happens in the first ones.
    """
    runs = losses if isinstance(losses, Mapping) else {"": losses}
    summary = "; ".join(
        f"{name or 'the loss'} goes from {run[0]:.2f} to {run[-1]:.2f} in {len(run)} steps"
        for name, run in runs.items()
    )
    fig = new_figure(4.0, title=title, alt=_alt_text("Line chart", title, summary))
    ax = axes(fig, xlabel=xlabel, ylabel=ylabel)
    ends = {}
    for i, (name, run) in enumerate(runs.items()):
        steps, values = np.arange(1, len(run) + 1), np.asarray(run, dtype=float)
        smooth = _smoothed(values)
        ax.plot(steps, values, color=COLORS[i], alpha=0.3, linewidth=1)
        ax.plot(steps, smooth, color=COLORS[i], linestyle=DASHES[i])
        ends[name] = (steps[-1], smooth[-1], COLORS[i])
    for name, value in (marks or {}).items():
        ax.axhline(value, color=FAINT, linewidth=1, linestyle=":")
        ax.annotate(name, (1, value), xytext=(0, 4), textcoords="offset points", color=FAINT,
                    xycoords=("axes fraction", "data"), ha="right", fontsize=10)  # fmt: skip
    ax.set_ylim(bottom=0)
    if log:
        ax.set_xscale("log")
    _label_ends(ax, ends)
    return fig


def bars_with_intervals(
    arms: Mapping[str, Seeds],
    *,
    title: str = "",
    xlabel: str = "share correct",
    limits: tuple[float, float] | None = (0.0, 1.0),
) -> Picture:
    """A bar for each arm's mean, a dot for each seed, and the 95 % interval.

    Args:
        arms: For each arm, one number per seed or one list of item scores per seed, as in `claim`.
            An arm with a single number gets no interval.
        title: Above the chart.
        xlabel: What is measured, with its unit.
        limits: Ends of the axis, at which intervals are cut; None lets the data decide.
    """
    rows = {name: summarize_seeds(seeds, limits) for name, seeds in arms.items()}
    fig = new_figure(
        1.3 + 0.6 * len(rows),
        title=title,
        alt=_alt_text("Bar chart", title, _describe_rows(rows, xlabel)),
    )
    ax = axes(fig, xlabel=xlabel, grid="x")
    for y, (means, interval) in enumerate(rows.values()):
        mean = float(np.mean(means))
        low, high = interval or (mean, mean)
        ax.barh(y, mean, height=0.56, color=COLORS[0], alpha=0.35, edgecolor=COLORS[0])
        if interval:
            ax.plot([low, high], [y, y], color=INK, linewidth=2.5, solid_capstyle="butt")
        heights = y + np.linspace(-0.14, 0.14, len(means)) if len(means) > 1 else [y]
        ax.scatter(means, heights, s=26, color="white", edgecolor=INK, linewidth=1.2, zorder=3,
                   clip_on=False)  # fmt: skip
        ax.annotate(_number(mean), (max(high, *means), y), xytext=(7, 0), va="center",
                    textcoords="offset points", fontweight="bold",
                    annotation_clip=False)  # fmt: skip
    ax.set_yticks(range(len(rows)), [textwrap.fill(name, 28) for name in rows])
    ax.tick_params(axis="y", pad=9)
    ax.invert_yaxis()
    ax.spines["left"].set_visible(False)
    if limits:
        ax.set_xlim(*limits)
        ax.spines["bottom"].set_bounds(*limits)
    ax.axvline(0, color=FAINT, linewidth=1)
    footnote(fig, "bar: mean · dot: one seed · line: 95 % interval")
    return fig


def lines_with_intervals(
    x: Sequence[float],
    arms: Mapping[str, Sequence[Seeds]],
    *,
    title: str = "",
    xlabel: str = "",
    ylabel: str = "share correct",
    limits: tuple[float, float] | None = (0.0, 1.0),
    log: bool = False,
) -> Picture:
    """A line for each arm over x, with its 95 % band.

    Args:
        x: The positions of the points, the same for all arms.
        arms: For each arm and each x, the arm's seeds, as in `bars_with_intervals`.
        title: Above the chart.
        xlabel: What x is.
        ylabel: What is measured, with its unit.
        limits: Ends of the vertical axis, at which bands are cut; None lets the data decide.
        log: x grows by factors, as in 1, 4, 16.
    """
    rows = {
        name: [summarize_seeds(seeds, limits) for seeds in points] for name, points in arms.items()
    }
    lines = []
    for name, points in rows.items():
        values = [
            f"{_number(float(np.mean(means)))} at {position:g}"
            for position, (means, _) in zip(x, points, strict=True)
        ]
        lines.append(f"{name}: {', '.join(values)}")
    alt = _alt_text("Line chart", title, f"{ylabel} by {xlabel}. {'; '.join(lines)}")
    fig = new_figure(4.2, title=title, alt=alt)
    ax = axes(fig, xlabel=xlabel, ylabel=ylabel)
    ends = {}
    for i, (name, points) in enumerate(rows.items()):
        means = [float(np.mean(m)) for m, _ in points]
        bands = [
            interval or (mean, mean) for mean, (_, interval) in zip(means, points, strict=True)
        ]
        ax.fill_between(x, *np.transpose(bands), color=COLORS[i], alpha=0.16, linewidth=0)
        ax.plot(x, means, color=COLORS[i], marker=MARKERS[i], linestyle=DASHES[i], markersize=7)
        ends[name] = (x[-1], means[-1], COLORS[i])
    if log:
        ax.set_xscale("log")
    ax.set_xticks(x, [f"{position:g}" for position in x])
    ax.minorticks_off()
    if limits:
        ax.set_ylim(*limits)
        ax.spines["left"].set_bounds(*limits)
    _label_ends(ax, ends)
    footnote(fig, "point: mean over seeds · band: 95 % interval")
    return fig


def forest(claims: Sequence[Effect], *, title: str = "", xlabel: str = "effect") -> Picture:
    """The effects of claims in one unit, with their intervals and the bounds they must keep."""
    summary = "; ".join(
        f"{c.statement} {_number(c.effect)}, {_number(c.interval[0])} to {_number(c.interval[1])}, "
        f"needs {c.bound}, {'holds' if c.holds else 'does not hold'}"
        for c in claims
    )
    fig = new_figure(
        1.5 + 0.72 * len(claims), title=title, alt=_alt_text("Forest plot", title, summary)
    )
    ax = axes(fig, xlabel=xlabel, grid="x")
    for y, claim in enumerate(claims):
        color = COLORS[0] if claim.holds else COLORS[3]
        ax.plot(claim.interval, [y, y], color=color, linewidth=3, solid_capstyle="butt")
        fill = color if claim.holds else "white"
        ax.plot(claim.effect, y, "o", color=color, markerfacecolor=fill, markersize=9)
        for bound, tip in ((claim.at_least, ">"), (claim.at_most, "<")):
            if bound is not None:
                ax.plot([bound, bound], [y - 0.3, y + 0.3], color=INK, linewidth=1.2)
                ax.plot(bound, y - 0.3, marker=tip, color=INK, markersize=5)
    names = [f"{'✓' if c.holds else '✗'} {textwrap.fill(c.statement, 40)}" for c in claims]
    ax.set_yticks(range(len(claims)), names, fontsize=10)
    ax.set_ylim(len(claims) - 0.5, -0.6)
    ax.axvline(0, color=FAINT, linewidth=1)
    footnote(fig, "circle: effect (filled: holds) · bar: 95 % interval · "
                    "flag: the bound, pointing to where the claim holds")  # fmt: skip
    return fig


def summarize_seeds(
    seeds: Seeds, limits: tuple[float, float] | None
) -> tuple[list[float], Interval | None]:
    """Return the mean of each seed, and the 95 % interval of the mean over all seeds.

    Args:
        seeds: One number or one list of item scores per seed.
        limits: Where the interval is cut; None leaves it whole.

    Returns:
        The means, and the interval, which is None for a single seed.
    """
    means = [float(np.mean(seed)) for seed in seeds]
    if len(means) < 2:
        return means, None
    if np.ndim(seeds[0]) == 0:
        low, high = seeds_interval(means)
    else:
        low, high = two_level_interval(cast("Sequence[Sequence[float]]", seeds))
    if limits:
        low, high = np.clip((low, high), *limits)
    return means, (low, high)


def _describe_rows(rows: Mapping[str, tuple[list[float], Interval | None]], unit: str) -> str:
    parts = []
    for name, (means, interval) in rows.items():
        span = (
            f" (95 % interval {_number(interval[0])} to {_number(interval[1])})" if interval else ""
        )
        parts.append(f"{name} {_number(float(np.mean(means)))}{span}")
    return f"{unit}: " + "; ".join(parts)


def _alt_text(kind: str, title: str, summary: str) -> str:
    return f"{kind}, {title}: {summary}." if title else f"{kind}: {summary}."


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Mean over a twentieth of the run around each step, but over fewer steps near its ends."""
    half = len(values) // 40
    return np.array(
        [values[max(0, i - half) : i + min(half, i) + 1].mean() for i in range(len(values))]
    )


def _label_ends(ax: Axes, ends: Mapping[str, tuple[float, float, str]]) -> None:
    """Write names at the right ends of their lines, moved apart if they would overlap.

    Args:
        ax: The axes with the lines.
        ends: By name, the x and y of the line's end and its color.
    """
    low, high = ax.get_ylim()
    free = low  # no label lies on the axis
    for name, (x, y, color) in sorted(ends.items(), key=lambda item: item[1][1]):
        label = textwrap.fill(name, 22)
        half = 0.036 * (high - low) * (label.count("\n") + 1)
        middle = max(y, free + half)
        free = middle + half
        ax.plot(x, y, "o", color=color, markersize=4, clip_on=False)
        ax.annotate(label, (x, middle), xytext=(10, 0), textcoords="offset points", va="center",
                    color=text_color(color), annotation_clip=False)  # fmt: skip


MODELS = ("random\nweights", "base\nmodel", "SFT\nmodel", "assistant")
STAGES = (  # from one model to the next: its name, its data, its objective
    ("Pretraining", "raw text, then selected\ntext (mid-training)", "the next token,\nevery token"),
    ("Instruction\ntuning, SFT", "instructions with\ngood responses",
     "the next token,\nresponse only"),
    ("Preferences:\nRLHF, DPO", "pairs of responses,\none preferred",
     "rather the\npreferred one"),
)  # fmt: skip
REASONING = ("RL with verifiable rewards", "tasks whose answers a program checks", "right answers")


def pipeline() -> Picture:
    """Draw how a model becomes an assistant: models as boxes, the stages of training between."""
    stages = [*STAGES, REASONING]
    summary = "; ".join(": ".join(" ".join(part.split()) for part in stage) for stage in stages)
    fig = new_figure(3.6, title="", alt=_alt_text("Diagram", "", summary))
    [ax] = subplots(fig)
    ax.set_axis_off()
    ax.set(xlim=(-0.55, 9.55), ylim=(0.1, 4.4))
    for i, name in enumerate(MODELS):
        _draw_model(ax, 3 * i, name, COLORS[i] if i else FAINT)
    for i, (name, data, objective) in enumerate(STAGES):
        middle = 3 * i + 1.5
        _draw_arrow(ax, (3 * i + 0.5, 2.8), (3 * i + 2.5, 2.8))
        ax.text(middle, 3.65, name, ha="center", va="bottom", fontsize=11, fontweight="bold")
        ax.text(middle, 2.95, data, ha="center", va="bottom", fontsize=9)
        ax.text(middle, 2.65, objective, ha="center", va="top", fontsize=9, color=FAINT)
    _draw_arrow(ax, (6, 2.3), (9, 2.3), bend="angle3,angleA=-60,angleB=240")
    name, data, objective = REASONING
    ax.text(6.25, 1.1, name, ha="right", va="center", fontsize=11, fontweight="bold")
    ax.text(6.25, 0.75, data, ha="right", va="center", fontsize=9)
    ax.text(6.25, 0.45, objective, ha="right", va="center", fontsize=9, color=FAINT)
    footnote(fig, "bold: the stage · black: its data · gray: what its loss or reward asks for")
    return fig


def _draw_model(ax: Axes, x: float, name: str, color: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    ax.add_patch(FancyBboxPatch((x - 0.5, 2.3), 1, 1, boxstyle="round,pad=0,rounding_size=0.12",
                                facecolor="white", edgecolor=color, linewidth=2))  # fmt: skip
    ax.text(x, 2.8, name, ha="center", va="center", fontsize=10)


def _draw_arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], bend: str = "arc3"
) -> None:
    arrow = {"arrowstyle": "-|>", "color": INK, "lw": 1.8, "connectionstyle": bend}
    ax.annotate("", end, start, arrowprops=arrow)
