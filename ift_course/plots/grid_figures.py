"""Figures of a grid of measurements: curves, a heat map, and an explorer with sliders.

curves({"curated": {100: [items, items, items], 300: [...]}}, title="How many examples?", …)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ift_course.evaluation.intervals import two_level_interval
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
)
from ift_course.plots.widgets import display_both

if TYPE_CHECKING:
    from ipywidgets import VBox
    from matplotlib.axes import Axes

Seeds = Sequence[Sequence[float]]  # for each seed its item scores
Curves = Mapping[str, Mapping[float, Seeds]]  # name → x → seeds


def curves(
    stored: Curves,
    live: Curves | None = None,
    *,
    title: str,
    xlabel: str,
    ylabel: str = "share correct",
    level: tuple[str, float] | None = None,
    note: str = "",
) -> Picture:
    """A line for each name over x, with 95 % intervals, and new measurements as large marks.

    Args:
        stored: The lines. Points may be missing. x grows by factors.
        live: Measurements of this run, in the color of the line of the same name.
        title: Above the chart.
        xlabel: What x is.
        ylabel: What is measured.
        level: A horizontal line with its name, such as ("1,000 curated", 0.97).
        note: Where and when `stored` was measured.
    """
    live = live or {}
    names = list(dict.fromkeys([*stored, *live]))
    summary = "; ".join(
        f"{name}{kind}: " + ", ".join(f"{_mean(s):.2f} at {x:g}" for x, s in sorted(points.items()))
        for kind, source in (("", stored), (" (live)", live))
        for name, points in source.items()
        if points
    )
    fig = new_figure(4.4, title=title, alt=f"Line chart, {title}: {ylabel} by {xlabel}. {summary}.")
    ax = axes(fig, xlabel=xlabel, ylabel=ylabel)
    for i, name in enumerate(names):
        color, marker = COLORS[i], MARKERS[i]
        shift = 1.035 ** (i - (len(names) - 1) / 2)  # so that the intervals stand side by side
        xs = sorted(stored.get(name, {}))
        for x, seeds in [*stored.get(name, {}).items(), *live.get(name, {}).items()]:
            ax.plot([x * shift] * 2, np.clip(_interval(seeds), 0, 1), color=color, linewidth=1.5)
        ax.plot([x * shift for x in xs], [_mean(stored[name][x]) for x in xs], color=color,
                marker=marker, markersize=6, linestyle=DASHES[i])  # fmt: skip
        for x, seeds in live.get(name, {}).items():
            ax.plot(x * shift, _mean(seeds), marker=marker, markersize=13, color="white",
                    markeredgecolor=color, markeredgewidth=2.5, zorder=4)  # fmt: skip
        ax.plot([], [], color=color, marker=marker, linestyle=DASHES[i], label=name)
    if level:
        ax.axhline(level[1], color=INK, linewidth=1, linestyle=":")
        ax.annotate(level[0], (0, level[1]), xytext=(4, 4), textcoords="offset points",
                    xycoords=("axes fraction", "data"), fontsize=9, color=FAINT)  # fmt: skip
    set_size_axis(ax, {x for source in (stored, live) for p in source.values() for x in p})
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    marks = ["large mark: measured in this run"] if live else []
    lines = [f"small marks and lines: {note or 'stored'}"] if any(stored.values()) else []
    footnote(fig, "\n".join([" · ".join([*marks, "bar: 95 % interval"]), *lines]))
    return fig


def draw_line(ax: Axes, points: Mapping[float, Seeds], number: int) -> None:
    """Draw the means over x as a line in a band of their 95 % intervals.

    Args:
        ax: The axes to draw on.
        points: The seeds at each x.
        number: Position of the line in the figure, which decides its color, marker and dashes.
    """
    if not points:
        return
    xs, seeds = zip(*sorted(points.items()), strict=True)
    bands = np.clip([_interval(s) for s in seeds], 0, 1)
    color = COLORS[number]
    ax.fill_between(xs, *np.transpose(bands), color=color, alpha=0.15, linewidth=0)
    ax.plot(xs, [_mean(s) for s in seeds], color=color, marker=MARKERS[number], markersize=6,
            linestyle=DASHES[number])  # fmt: skip


def set_size_axis(ax: Axes, sizes: Iterable[float]) -> None:
    """Set up axes for shares from 0 to 1 over sizes, with a logarithmic x and a tick per size."""
    ticks = sorted(sizes)
    ax.set_xscale("log")
    ax.set_xticks(ticks, [f"{x:,.0f}" for x in ticks])
    ax.minorticks_off()
    ax.set_ylim(0, 1.02)


def heat(
    values: Mapping[tuple[str, str], float], *, title: str, xlabel: str, ylabel: str, note: str = ""
) -> Picture:
    """A heat map with the number in each field.

    Args:
        values: (row, column) → a share from 0 to 1. Fields may be missing.
        title: Above the heat map.
        xlabel: What the columns are.
        ylabel: What the rows are.
        note: Where and when the values were measured.
    """
    rows, columns = (list(dict.fromkeys(key[i] for key in values)) for i in (0, 1))
    summary = "; ".join(f"{r}, {c}: {value:.2f}" for (r, c), value in values.items())
    fig = new_figure(
        1.2 + 0.5 * len(rows), title=title,
        alt=f"Table in colors, {title}; {ylabel} by {xlabel}. {summary}.",
    )  # fmt: skip
    ax = axes(fig, xlabel=xlabel, ylabel=ylabel)
    ax.grid(False)
    table = np.array([[values.get((r, c), np.nan) for c in columns] for r in rows])
    ax.imshow(table, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for (y, r), (x, c) in product(enumerate(rows), enumerate(columns)):
        if (r, c) in values:
            dark = values[r, c] < 0.55
            ax.text(x, y, f"{values[r, c]:.2f}", ha="center", va="center", fontweight="bold",
                    color="white" if dark else "black")  # fmt: skip
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    if note:
        footnote(fig, note)
    return fig


class Explorer:
    """A slider for each option, and a view of the selected values.

    Displaying the explorer shows both of its forms: `widget` is interactive, and `static` is what a
    notebook keeps without a kernel.
    """

    def __init__(
        self, options: Mapping[str, Sequence], view: Callable[..., str], static: Any
    ) -> None:
        self.options = {name: list(values) for name, values in options.items()}
        self.view = view
        self.static = static

    @cached_property
    def widget(self) -> VBox:
        """The sliders and the HTML below them, created on first use."""
        import ipywidgets as widgets

        wide = widgets.Layout(width="60%")
        sliders = [
            widgets.SelectionSlider(options=values, description=name, layout=wide,
                                    style={"description_width": "9em"})
            for name, values in self.options.items()
        ]  # fmt: skip
        html = widgets.HTML()

        def draw(_: object = None) -> None:
            html.value = self.view(*(slider.value for slider in sliders))

        for slider in sliders:
            slider.observe(draw, names="value")
        draw()
        return widgets.VBox([*sliders, html])

    def _ipython_display_(self) -> None:
        display_both(
            self.widget,
            self.static,
            hint="Run this cell to move the sliders. All positions at once:",
        )


def explore(options: Mapping[str, Sequence], view: Callable[..., str], static: Any) -> Explorer:
    """An explorer of a function of several options.

    Args:
        options: The values of each option, by the option's name.
        view: Takes one value of each option, in order, and returns HTML.
        static: What to show where there is no kernel.
    """
    return Explorer(options, view, static)


def _mean(seeds: Seeds) -> float:
    return float(np.mean([np.mean(seed) for seed in seeds]))


def _interval(seeds: Seeds) -> tuple[float, float]:
    return two_level_interval(seeds) if len(seeds) > 1 else (_mean(seeds), _mean(seeds))
