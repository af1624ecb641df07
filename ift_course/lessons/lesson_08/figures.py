"""Lesson 08's figures and tables: gain against loss, and family by family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from ift_course.claims.results import origin as origin
from ift_course.evaluation.intervals import Interval, two_level_interval
from ift_course.lessons.lesson_08.experiment import ForgettingResult, arm, make_exam
from ift_course.lessons.lesson_08.recipes import RECIPES, SIZES, Recipe
from ift_course.plots.figure import COLORS, FAINT, INK, MARKERS, Picture, axes, footnote, new_figure
from ift_course.profile import Profile

GENERAL = RECIPES["general model"]


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


def gain_against_loss(results: Sequence[ForgettingResult], profile: Profile) -> Picture:
    """Every remedy as a point with its intervals.

    The vertical axis is the gain on the special family, the horizontal one the loss on the others,
    both against the general model. A dashed line marks what a constant answer would gain.
    """
    sizes, title = SIZES[profile.name], "Gain and loss at equal compute"
    changes = effects(results)
    general = arm(results, GENERAL)
    constant = fmean(
        make_exam(sizes, result.seed).constant_share - result.accuracy("special")
        for result in general
    )
    numbers = "; ".join(
        f"{name} gains {gain.mean:.2f} and loses {-change.mean:.2f}"
        for name, (gain, change) in changes.items()
    )
    alt = f"Scatter chart, {title}: {numbers}; a constant answer would gain {constant:.2f}."
    fig = new_figure(5.2, title=title, alt=alt)
    ax = axes(fig, xlabel="lost on the other families", ylabel=f"gained on {sizes.special}",
              grid="both")  # fmt: skip
    for i, (name, (gain, change)) in enumerate(changes.items()):
        x, (low, high) = -change.mean, change.interval
        ax.plot([-low, -high], [gain.mean] * 2, color=COLORS[i], linewidth=1, alpha=0.7)
        ax.plot([x, x], gain.interval, color=COLORS[i], linewidth=1, alpha=0.7)
        ax.plot(x, gain.mean, MARKERS[i], color=COLORS[i], markersize=9, zorder=3, label=name)
    ax.plot(0, 0, "o", color="white", markeredgecolor=INK, markersize=9, label="general model")
    ax.axhline(constant, color=INK, linewidth=1, linestyle="--", label="a constant answer")
    ax.axvline(0, color=FAINT, linewidth=1)
    ax.axhline(0, color=FAINT, linewidth=1)
    # Longer intervals are cut off: with few seeds they may be wider than the figure.
    losses = [0.0, *(-change.mean for _, change in changes.values())]
    gains = [0.0, constant, *(gain.mean for gain, _ in changes.values())]
    ax.set_xlim(min(losses) - 0.1, max(losses) + 0.15)
    ax.set_ylim(min(gains) - 0.1, max(gains) + 0.15)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, frameon=False, fontsize=9)
    footnote(fig, f"mark: mean (seeds: {len(general)}) · cross: 95 % intervals from two seeds on")
    return fig


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
    ax.tick_params(axis="y", pad=9)  # the markers at 0 must not cover the names
    ax.set_ylim(len(order) - 0.5, -0.5)
    ax.set_xlim(0, 1)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=10)
    footnote(fig, f"mark: mean (seeds: {len(arm(results, RECIPES[names[0]]))})")
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
    """A line for each model: special, others, facts, steps; means over seeds."""
    lines = [f"{'':28}{'special':>9}{'others':>9}{'facts':>9}{'steps':>7}"]
    for name in names:
        seeds = arm(results, RECIPES[name])
        if seeds:
            special, others = (fmean(x.accuracy(w) for x in seeds) for w in ("special", "others"))
            facts = fmean(x.facts for x in seeds)
            lines.append(f"{name:28}{special:9.3f}{others:9.3f}{facts:9.3f}{seeds[0].steps:7}")
    return "\n".join(lines)
