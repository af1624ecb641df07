"""Lesson 08's figures and tables: gain against loss, family by family, and the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from ift_course.claims.results import origin as origin
from ift_course.evaluation.intervals import Interval, two_level_interval
from ift_course.lessons.lesson_08.experiment import ForgettingResult, arm, make_exam
from ift_course.lessons.lesson_08.recipes import RECIPES, SIZES, Recipe
from ift_course.plots.figure import COLORS, FAINT, INK, MARKERS, Picture, axes, footnote, new_figure
from ift_course.plots.preference_figures import Slider
from ift_course.plots.transcript import Transcript, TranscriptRow, transcript
from ift_course.profile import Profile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GENERAL, EXPERT = RECIPES["general model"], RECIPES["expert"]
# A remedy in several strengths is one line of the figure, from strong to weak; each ends at the
# plain expert. Recipe → the label beside its marker.
KINDS: dict[str, dict[str, str]] = {
    "replay": {"replay 25 %": "25 %", "replay 5 %": "5 %", "replay 1 %": "1 %"},
    "average, share of the expert": {
        "average, 25 % expert": "25 %",
        "average, 50 % expert": "50 %",
        "average, 75 % expert": "75 %",
    },
    "KL, weight": {"KL, weight 3": "3", "KL, weight 0.3": "0.3"},
    "lower rate": {"rate ÷ 16": "÷ 16", "rate ÷ 4": "÷ 4"},
    "LoRA": {
        "LoRA, rank 16, rate ÷ 8": "16, ÷ 8",
        "LoRA, rank 2": "rank 2",
        "LoRA, rank 16": "rank 16",
    },
    "fewer steps": {"a quarter of the steps": "a quarter"},
}


@dataclass(frozen=True)
class Effect:
    """A mean over seeds and its 95 % interval."""

    mean: float
    interval: Interval


def effect(results: Sequence[ForgettingResult], recipe: Recipe, which: str) -> Effect:
    """The difference between a recipe and the general model, paired by seed.

    Args:
        results: of the grid; only the seeds that both have are used.
        recipe: to be compared with the general model.
        which: the questions, "special" or "others".
    """
    general = {x.seed: x.items(which) for x in arm(results, GENERAL)}
    tuned = {x.seed: x.items(which) for x in arm(results, recipe) if x.seed in general}
    before, after = [general[seed] for seed in tuned], list(tuned.values())
    mean = fmean(map(fmean, after)) - fmean(map(fmean, before))
    if len(after) < 2:
        return Effect(mean, (mean, mean))
    return Effect(mean, two_level_interval(after, before))


def effects(results: Sequence[ForgettingResult]) -> dict[str, tuple[Effect, Effect]]:
    """Name → (change on the special family, change on the others).

    Of all recipes that start from the general model.
    """
    general = {result.seed for result in arm(results, GENERAL)}
    return {
        name: (effect(results, recipe, "special"), effect(results, recipe, "others"))
        for name, recipe in RECIPES.items()
        if recipe.start == "general" and recipe.steps and not recipe.family
        if general & {result.seed for result in arm(results, recipe)}
    }


def gains_and_losses(results: Sequence[ForgettingResult]) -> dict[str, tuple[float, float]]:
    """Name → (gain on the special family, loss on the others), as shares of the questions."""
    return {name: (gain.mean, -change.mean) for name, (gain, change) in effects(results).items()}


def gain_against_loss(results: Sequence[ForgettingResult], *, title: str, special: str) -> Picture:
    """Every remedy as a point with its intervals; the strengths of one remedy are joined.

    The vertical axis is the gain on the special family, the horizontal one the loss on the others.
    """
    changes = effects(results)
    numbers = "; ".join(
        f"{name} gains {gain.mean:.2f} and loses {-change.mean:.2f}"
        for name, (gain, change) in changes.items()
    )
    fig = new_figure(5.9, title=title, alt=f"Scatter chart, {title}: {numbers}.")
    ax = axes(fig, xlabel="lost on the other families", ylabel=f"gained on {special}",
              grid="both")  # fmt: skip
    labels = []
    for number, (kind, names) in enumerate(KINDS.items()):
        color, marker = COLORS[number], MARKERS[number]
        line = [name for name in names if name in changes]
        ends = ["expert"] if "expert" in changes else []
        ax.plot(*np.transpose([_point(changes[name]) for name in line + ends]), color=color,
                linewidth=1, alpha=0.5)  # fmt: skip
        for name in line:
            _cross(ax, changes[name], color, marker)
            labels.append((_point(changes[name]), names[name]))
        ax.plot([], [], marker, color=color, label=kind)
    if "expert" in changes:
        _cross(ax, changes["expert"], INK, "X")
    ax.plot([], [], "X", color=INK, label="the plain expert")
    ax.plot(0, 0, "o", color="white", markeredgecolor=INK, markersize=9, label="the general model")
    ax.axvline(0, color=FAINT, linewidth=1)
    ax.axhline(0, color=FAINT, linewidth=1)
    points = [(0.0, 0.0), *(_point(change) for change in changes.values())]
    # Longer intervals are cut off: with few seeds they may be wider than the figure.
    ax.set_xlim(min(x for x, _ in points) - 0.1, max(x for x, _ in points) + 0.15)
    ax.set_ylim(min(y for _, y in points) - 0.1, max(y for _, y in points) + 0.15)
    _label(ax, labels, points)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, frameon=False, fontsize=9)
    footnote(fig, "mark: mean over seeds · cross: 95 % intervals · thin line: one remedy, from "
                    "strong to weak, ends at the plain expert")  # fmt: skip
    return fig


def _point(changes: tuple[Effect, Effect]) -> tuple[float, float]:
    gain, change = changes
    return -change.mean, gain.mean


def _cross(ax: Axes, changes: tuple[Effect, Effect], color: str, marker: str) -> None:
    gain, change = changes
    x, y = _point(changes)
    low, high = change.interval
    ax.plot([-low, -high], [y, y], color=color, linewidth=1, alpha=0.7)
    ax.plot([x, x], gain.interval, color=color, linewidth=1, alpha=0.7)
    ax.plot(x, y, marker, color=color, markersize=9, zorder=3)


OFFSETS = ((9, 9), (-9, 9), (9, -10), (-9, -10), (9, 22), (-9, 22), (9, -23), (-9, -23))


Box = tuple[float, float, float, float]  # left, bottom, right, top, in points


def _label(
    ax: Axes,
    labels: Sequence[tuple[tuple[float, float], str]],
    points: Sequence[tuple[float, float]],
) -> None:
    """Write each text beside its marker, if possible without covering a text or a marker."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    across, up = 520 / (right - left), 300 / (high - low)  # typographic points per unit, about
    taken: list[Box] = [(x * across - 5, y * up - 5, x * across + 5, y * up + 5) for x, y in points]

    def box(x: float, y: float, text: str, dx: int, dy: int) -> Box:
        start = x * across + (dx if dx > 0 else dx - 5.5 * len(text))
        return start, y * up + dy - 6, start + 5.5 * len(text), y * up + dy + 6

    def overlaps(new: Box) -> int:
        return sum(
            new[0] < old[2] and old[0] < new[2] and new[1] < old[3] and old[1] < new[3]
            for old in taken
        )

    for (x, y), text in labels:
        dx, dy = min(OFFSETS, key=lambda move: overlaps(box(x, y, text, *move)))
        taken.append(box(x, y, text, dx, dy))
        ax.annotate(text, (x, y), xytext=(dx, dy), textcoords="offset points", color=INK,
                    ha="left" if dx > 0 else "right", va="center", fontsize=9)  # fmt: skip


def by_family(
    results: Sequence[ForgettingResult], profile: Profile, names: Sequence[str]
) -> Picture:
    """Accuracy in every family, the special one first: a row for each, a marker for each model."""
    sizes = SIZES[profile.name]
    shares = {name: _shares(results, profile, RECIPES[name]) for name in names}
    families = sorted(
        (f for f in shares[names[0]] if f != sizes.special), key=lambda f: shares[names[-1]][f]
    )
    order = [sizes.special, *families]
    numbers = "; ".join(
        f"{family}: " + ", ".join(f"{name} {shares[name][family]:.2f}" for name in names)
        for family in order
    )
    title = "What each model can still do"
    fig = new_figure(0.9 + 0.29 * len(order), title=title, alt=f"Dot chart, {title}: {numbers}.")
    ax = axes(fig, xlabel="share correct, held-out entities", grid="x")
    for y, family in enumerate(order):
        values = [shares[name][family] for name in names]
        ax.plot([min(values), max(values)], [y, y], color=FAINT, linewidth=1, zorder=1)
        for i, value in enumerate(values):
            ax.plot(value, y, MARKERS[i], color=COLORS[i], markersize=8, clip_on=False,
                    label=names[i] if y == 0 else None)  # fmt: skip
    ax.axhline(0.5, color=INK, linewidth=0.8)
    ax.set_yticks(range(len(order)), [f"{order[0]} (the special one)", *order[1:]])
    ax.set_ylim(len(order) - 0.5, -0.5)
    ax.set_xlim(0, 1)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=10)
    footnote(fig, f"mark: mean over {len({result.seed for result in results})} seeds")
    return fig


def _shares(
    results: Sequence[ForgettingResult], profile: Profile, recipe: Recipe
) -> dict[str, float]:
    """Family → share correct, over all questions of all seeds."""
    sizes = SIZES[profile.name]
    scores: dict[str, list[float]] = {}
    for result in arm(results, recipe):
        exam = make_exam(sizes, result.seed)
        for which in ("special", "others"):
            for example, item in zip(getattr(exam, which), result.items(which), strict=True):
                scores.setdefault(example.family, []).append(item)
    return {family: fmean(items) for family, items in scores.items()}


def table(results: Sequence[ForgettingResult], names: Sequence[str]) -> str:
    """A line for each model: special, others, prose perplexity, facts, steps; means over seeds."""
    lines = [f"{'':28}{'special':>9}{'others':>9}{'prose':>9}{'facts':>9}{'steps':>7}"]
    for name in names:
        seeds = arm(results, RECIPES[name])
        if seeds:
            special, others = (fmean(x.accuracy(w) for x in seeds) for w in ("special", "others"))
            prose, facts = exp(fmean(x.prose for x in seeds)), fmean(x.facts for x in seeds)
            lines.append(
                f"{name:28}{special:9.3f}{others:9.3f}{prose:9.2f}{facts:9.3f}{seeds[0].steps:7}"
            )
    return "\n".join(lines)


def browse(results: Sequence[ForgettingResult], names: Sequence[str]) -> Slider:
    """A slider over models: their scores, and the answers of the one of the first seed."""
    measured = [name for name in names if arm(results, RECIPES[name])]

    def view(chosen: Sequence[str]) -> Transcript:
        first = {name: arm(results, RECIPES[name])[0] for name in chosen}
        prompts = list(first[chosen[0]].answers)
        rows = [
            TranscriptRow(p, {name: x.answers[p] for name, x in first.items()}) for p in prompts
        ]
        for which in ("special", "others"):
            shares = {
                name: f"{fmean(x.accuracy(which) for x in arm(results, RECIPES[name])):.2f}"
                for name in chosen
            }
            rows.append(TranscriptRow(f"right answers, {which}", shares))
        return transcript(rows)

    # A slider takes names as well as numbers.
    return Slider("model", measured, lambda name: view([name]), view(measured))  # pyright: ignore[reportArgumentType]
