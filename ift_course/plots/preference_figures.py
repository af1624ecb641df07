"""Figures of preference tuning: arms on several measures, and curves during training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ift_course.plots.charts import Seeds, summarize_seeds
from ift_course.plots.figure import (
    COLORS,
    DASHES,
    FAINT,
    MARKERS,
    Picture,
    axes,
    footnote,
    new_figure,
    subplots,
)


def stages(results: Mapping[str, Mapping[str, Seeds]], *, title: str = "") -> Picture:
    """The share of every stage on every measure, with its 95 % interval.

    Args:
        results: Measure → stage → seeds, as in `charts.bars_with_intervals`.
        title: Above the figure.
    """
    rows = {
        measure: {stage: summarize_seeds(seeds, (0.0, 1.0)) for stage, seeds in by_stage.items()}
        for measure, by_stage in results.items()
    }
    summary = "; ".join(
        f"{measure}: "
        + ", ".join(f"{stage} {np.mean(means):.2f}" for stage, (means, _) in by_stage.items())
        for measure, by_stage in rows.items()
    )
    names = list(next(iter(rows.values())))
    height = 0.6 + (0.16 * len(names) + 0.3) * len(rows)
    height += 0.25 * -(-len(names) // 3)
    fig = new_figure(height, title=title, alt=f"Dot chart, {title}: {summary}.")
    ax = axes(fig, xlabel="share of prompts", grid="x")
    step = 0.8 / len(names)
    for y, by_stage in enumerate(rows.values()):
        for i, (means, interval) in enumerate(by_stage.values()):
            height = y - 0.4 + step * (i + 0.5)
            mean = float(np.mean(means))
            ends = interval or (mean, mean)
            ax.plot(ends, [height] * 2, color=COLORS[i], linewidth=2, solid_capstyle="butt")
            ax.plot(mean, height, MARKERS[i], color=COLORS[i], markersize=7, clip_on=False,
                    label=names[i] if y == 0 else None)  # fmt: skip
        if y:
            ax.axhline(y - 0.5, color=FAINT, linewidth=0.5)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(0, 1)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=10)
    footnote(fig, "mark: mean over seeds · line: 95 % interval")
    return fig


def curves_by_panel(
    curves: Mapping[str, Sequence[Sequence[Mapping[str, float]]]],
    *,
    names: Mapping[str, str],
    x: str = "step",
    xlabel: str = "optimizer steps",
    ylabel: str = "mean over samples",
    title: str = "",
) -> Picture:
    """What was measured during training, one panel for each arm and one line for each seed.

    Args:
        curves: Panel → seeds → points with `x` and the keys of `names`, in the order of training.
        names: Key of a measure → its name in the legend.
        x: The key of the horizontal axis.
        xlabel: Its name, with the unit.
        ylabel: The name of the vertical axis, with the unit.
        title: Above the figure.
    """
    summary = "; ".join(
        f"{panel}: " + ", ".join(
            f"{label} from {np.mean([s[0][key] for s in seeds]):.2f} to "
            f"{np.mean([s[-1][key] for s in seeds]):.2f}" for key, label in names.items()
        )
        for panel, seeds in curves.items()
    )  # fmt: skip
    fig = new_figure(3.8, title=title, alt=f"Line charts, {title}: {summary}.")
    panels = subplots(fig, 1, len(curves), sharey=True)
    for ax, (panel, seeds) in zip(panels, curves.items(), strict=True):
        for i, (key, label) in enumerate(names.items()):
            for number, points in enumerate(seeds):
                ax.plot([p[x] for p in points], [p[key] for p in points], color=COLORS[3 * i],
                        marker=MARKERS[i], linestyle=DASHES[i], markersize=5, linewidth=1.4,
                        label=label if number == 0 else None)  # fmt: skip
        ax.set_title(panel, fontsize=11)
        ax.set_xlabel(xlabel, fontsize=10)
        ax.grid(False, axis="x")
    panels[0].legend(frameon=False, fontsize=10)
    panels[0].set_ylabel(ylabel)
    footnote(fig, "one line for each seed")
    return fig
