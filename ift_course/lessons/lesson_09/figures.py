"""Lesson 09's figures: results of the grid and numbers of pairs in, pictures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np

from ift_course.lessons.lesson_09.config import CurationResult
from ift_course.lessons.lesson_09.experiment import SELECTIONS
from ift_course.plots.charts import bars_with_intervals
from ift_course.plots.figure import COLORS, DASHES, Picture, axes, new_figure


def by_method(results: Sequence[CurationResult]) -> dict[str, list[CurationResult]]:
    """The results of each way of choosing that was measured, by seed."""
    named = {
        name: sorted((x for x in results if x.config == config), key=lambda x: x.seed)
        for name, config in SELECTIONS.items()
    }
    return {name: chosen for name, chosen in named.items() if chosen}


def methods(results: Sequence[CurationResult]) -> Picture:
    """A bar for each way of choosing; the title says what the best and the worst one bring."""
    named = by_method(results)
    scores = {name: fmean(x.accuracy for x in chosen) for name, chosen in named.items()}
    best, worst = max(scores, key=scores.__getitem__), min(scores, key=scores.__getitem__)
    title = f"“{best}” brings {scores[best]:.2f}, “{worst}” {scores[worst]:.2f}"
    if "random" in scores:
        title += f"; chance brings {scores['random']:.2f}"
    arms = {name: [x.scores for x in chosen] for name, chosen in named.items()}
    return bars_with_intervals(arms, title=title)


def banding(
    compared: Mapping[tuple[int, int], int], found: Mapping[tuple[int, int], int], alike: int
) -> Picture:
    """The chance that two texts become candidates, over their similarity, for several bandings.

    Args:
        compared: (bands, rows) → pairs that share a bucket in the lesson's data.
        found: (bands, rows) → near copies among them.
        alike: how many near copies there are.
    """
    title = "More bands miss fewer near copies and compare more pairs"
    counts = {
        key: f"{key[0]} bands of {key[1]}: {n:,} compared, {found[key]} of {alike} found"
        for key, n in compared.items()
    }
    alt = f"Line chart, {title}: chance of a comparison by similarity. {'; '.join(counts.values())}"
    fig = new_figure(3.8, title=title, alt=alt)
    ax = axes(fig, xlabel="Jaccard similarity of two texts", ylabel="chance of being compared")
    similarity = np.linspace(0, 1, 200)
    for i, ((bands, rows), name) in enumerate(counts.items()):
        chance = 1 - (1 - similarity**rows) ** bands
        ax.plot(similarity, chance, color=COLORS[i], linestyle=DASHES[i], label=name)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return fig
