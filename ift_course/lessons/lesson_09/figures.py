"""Lesson 09's figures: results of the grid and numbers of pairs in, pictures out."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np

from ift_course.lessons.lesson_09.config import CurationResult
from ift_course.lessons.lesson_09.experiment import SELECTIONS
from ift_course.lessons.lesson_09.selection import CONTROLS, SELECTION_METHODS
from ift_course.plots.charts import bars_with_intervals
from ift_course.plots.figure import COLORS, DASHES, INK, Picture, axes, new_figure
from ift_course.plots.grid_figures import Explorer, explore

THRESHOLDS = tuple(round(0.2 + 0.05 * i, 2) for i in range(13))  # 0.20 to 0.80
Pair = tuple[int, int]


def by_method(results: Sequence[CurationResult]) -> dict[str, list[CurationResult]]:
    """The results of each way of choosing that was measured, by seed."""
    named = {
        name: sorted((x for x in results if x.config == config), key=lambda x: x.seed)
        for name, config in SELECTIONS.items()
    }
    return {name: chosen for name, chosen in named.items() if chosen}


def methods(results: Sequence[CurationResult]) -> Picture:
    """A bar for each way of choosing; the title says what the best and the worst one bring.

    Controls, which no one can apply without labels, are marked and not part of the title.
    """
    named = by_method(results)
    scores = {
        name: fmean(x.accuracy for x in chosen)
        for name, chosen in named.items()
        if name in SELECTION_METHODS
    }
    best, worst = max(scores, key=scores.__getitem__), min(scores, key=scores.__getitem__)
    title = f"“{best}” reaches {scores[best]:.2f}, “{worst}” {scores[worst]:.2f}"
    if "random" in scores:
        title += f"; a random choice reaches {scores['random']:.2f}"
    arms = {
        f"control: {name}" if name in CONTROLS else name: [x.scores for x in chosen]
        for name, chosen in named.items()
    }
    label = "share of held-out questions answered correctly"
    return bars_with_intervals(arms, title=title, xlabel=label)


def explore_threshold(similarity: Mapping[Pair, float], texts: Sequence[str]) -> Explorer:
    """A slider for the threshold of near copies, and the pairs on both sides of it.

    Args:
        similarity: Of each pair of texts, from the most similar down.
        texts: What the pairs are numbers of.
    """
    values = np.array(list(similarity.values()))
    counts = {threshold: int((values >= threshold).sum()) for threshold in THRESHOLDS}

    def view(threshold: float) -> str:
        n = counts[threshold]
        above = _pair_list(list(similarity.items())[max(0, n - 3) : n], texts)
        below = _pair_list(list(similarity.items())[n : n + 3], texts)
        return (
            f"<p><b>{n:,}</b> of {len(values):,} pairs are at least {threshold:.2f} similar. "
            f"The last three of them:</p>{above}<p>The next three, which are not:</p>{below}"
        )

    return explore({"threshold": list(THRESHOLDS)}, view, _pairs_by_threshold(counts, len(values)))


def _pair_list(pairs: Sequence[tuple[Pair, float]], texts: Sequence[str]) -> str:
    rows = (
        f"<li>{value:.2f}<br>{html.escape(texts[i][:160])}<br>{html.escape(texts[j][:160])}</li>"
        for (i, j), value in pairs
    )
    return f"<ul>{''.join(rows)}</ul>"


def _pairs_by_threshold(counts: Mapping[float, int], n_pairs: int) -> Picture:
    """A step for each threshold: how many pairs are at least that similar."""
    low, high = _plateau(counts)
    title = (
        f"Any threshold from {low:.2f} to {high:.2f} keeps the same {counts[low]:,} "
        f"of {n_pairs:,} pairs"
    )
    words = ", ".join(f"{n:,} at {threshold:.2f}" for threshold, n in counts.items())
    fig = new_figure(2.8, title=title, alt=f"Bar chart, {title}. Pairs by threshold: {words}.")
    ax = axes(fig, xlabel="threshold of similarity", ylabel="pairs above it")
    names = [f"{threshold:.2f}" for threshold in counts]
    bars = ax.bar(names, list(counts.values()), color=COLORS[0])
    ax.bar_label(bars, padding=2)
    return fig


def _plateau(counts: Mapping[float, int]) -> tuple[float, float]:
    """The widest range of thresholds with one count, the lowest of those that are equally wide."""
    same = [[threshold for threshold in counts if counts[threshold] == n] for n in counts.values()]
    widest = max(same, key=lambda thresholds: (thresholds[-1] - thresholds[0], -thresholds[0]))
    return widest[0], widest[-1]


def banding(
    compared: Mapping[tuple[int, int], int],
    found: Mapping[tuple[int, int], int],
    similarities: Sequence[float],
) -> Picture:
    """The chance that two texts become candidates, over their similarity, for several bandings.

    Args:
        compared: (bands, numbers in a band) → pairs that share a bucket in the lesson's data.
        found: the same bandings → near copies among these pairs.
        similarities: of the data's near copies, as ticks at the bottom.
    """
    title = "More, shorter bands: more pairs are compared, fewer similar ones missed"
    n_near = len(similarities)
    counts = {
        key: f"{key[0]} bands of {key[1]}: {n:,} compared, {found[key]} of {n_near} found"
        for key, n in compared.items()
    }
    near = ", ".join(f"{value:.2f}" for value in sorted(similarities))
    alt = (
        f"Line chart, {title}: probability of a comparison by similarity. "
        f"{'; '.join(counts.values())}; similarities of the near copies: {near}"
    )
    fig = new_figure(3.8, title=title, alt=alt)
    ax = axes(fig, xlabel="Jaccard similarity of two texts", ylabel="probability of a comparison")
    similarity = np.linspace(0, 1, 200)
    for i, ((bands, per_band), name) in enumerate(counts.items()):
        chance = 1 - (1 - similarity**per_band) ** bands
        ax.plot(similarity, chance, color=COLORS[i], linestyle=DASHES[i], label=name)
    ax.plot(similarities, [0.03] * n_near, "|", color=INK, markersize=11,
            label=f"our {n_near} near copies")  # fmt: skip
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return fig
