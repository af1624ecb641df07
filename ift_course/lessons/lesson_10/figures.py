"""Lesson 10's figures: power by the number of questions, and what moves a judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ift_course.plots.charts import bars_with_intervals
from ift_course.plots.figure import COLORS, DASHES, FAINT, INK, MARKERS, Picture, axes, new_figure

POWER = 0.8


def power(
    sizes: Sequence[int],
    exact: Mapping[int, Sequence[float]],
    simulated: Mapping[int, Sequence[float]],
    needed: Mapping[int, int],
) -> Picture:
    """The power of McNemar's test by the number of questions, for several differences.

    Args:
        sizes: Numbers of questions.
        exact: Difference in points → its power for each number.
        simulated: The same by simulation, drawn as points.
        needed: Difference in points → the questions that reach a power of 80 %, for the title.
    """
    parts = [f"{needed[points]:,} for {points}" for points in needed]
    title = f"Questions for a power of 80 %: {', '.join(parts)} points"
    values = "; ".join(
        f"{points} points: "
        + ", ".join(f"{value:.2f} at {n:,}" for n, value in zip(sizes, exact[points], strict=True))
        for points in exact
    )
    fig = new_figure(3.9, title=title, alt=f"Line chart, {title}: {values}.")
    ax = axes(fig, xlabel="questions in the test", ylabel="power")
    ax.axhline(POWER, color=FAINT, linewidth=1)
    for i, (points, line) in enumerate(exact.items()):
        ax.plot(sizes, line, color=COLORS[i], linestyle=DASHES[i], label=f"{points} points, exact")
        ax.plot(sizes, simulated[points], MARKERS[i], color=COLORS[i], markersize=6,
                label="… simulated")  # fmt: skip
        ax.plot([needed[points]] * 2, [0, POWER], color=INK, linewidth=0.8, linestyle=":")
    ax.set_xscale("log")
    ax.set_xticks(sizes, [f"{n:,}" for n in sizes])
    ax.minorticks_off()
    ax.set_ylim(0, 1)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return fig


def judge(shares: Mapping[str, np.ndarray]) -> Picture:
    """What a judge's verdicts follow, as bars; the title names the first two.

    Args:
        shares: Name → array (sets of pairs, pairs): over both orders, the share of the verdicts of
            each pair that went to what is named.
    """
    (first, place), (second, right) = list(shares.items())[:2]
    title = f"The judge takes {first} {place.mean():.0%} of the time, {second} {right.mean():.0%}"
    arms = {name: array.tolist() for name, array in shares.items()}
    return bars_with_intervals(arms, title=title, xlabel="share of verdicts (a coin: 0.5)")
