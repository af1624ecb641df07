"""What lesson 08 shows of its runs: gain against loss, family by family, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from statistics import fmean

import numpy as np

from ift_course.evaluation.intervals import Interval, two_level_interval
from ift_course.lessons.lesson_08.experiment import PLANS, RECIPES, Recipe, Row, arm, exam
from ift_course.plots.figure import COLORS, FAINT, INK, MARKERS, Picture, axes, footnote, new_figure
from ift_course.plots.preference_figures import Slider
from ift_course.plots.transcript import TranscriptRow, transcript
from ift_course.profile import Profile

GENERAL, EXPERT = RECIPES["general model"], RECIPES["expert"]
# A remedy in several strengths is one line of the picture, from strong to weak; each ends at the
# plain expert. Recipe → what stands beside its mark.
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


def effect(rows: Sequence[Row], recipe: Recipe, which: str) -> Effect:
    """How far a recipe is above the general model on "special" or "others", seed by seed.

    Of the seeds that both have.
    """
    start = {row.seed: row.items(which) for row in arm(rows, GENERAL)}
    found = {row.seed: row.items(which) for row in arm(rows, recipe) if row.seed in start}
    ours, theirs = list(found.values()), [start[seed] for seed in found]
    mean = fmean(map(fmean, ours)) - fmean(map(fmean, theirs))
    if len(ours) < 2:
        return Effect(mean, (mean, mean))
    return Effect(mean, two_level_interval(ours, theirs))


def effects(rows: Sequence[Row]) -> dict[str, tuple[Effect, Effect]]:
    """Name → (change on the special family, change on the others), of all that started general."""
    general = {row.seed for row in arm(rows, GENERAL)}
    return {
        name: (effect(rows, recipe, "special"), effect(rows, recipe, "others"))
        for name, recipe in RECIPES.items()
        if recipe.start == "general" and recipe.steps and not recipe.family
        if general & {row.seed for row in arm(rows, recipe)}
    }


def gains_and_losses(rows: Sequence[Row]) -> dict[str, tuple[float, float]]:
    """Name → (gain on the special family, loss on the others), as shares of the questions."""
    return {name: (gain.mean, -kept.mean) for name, (gain, kept) in effects(rows).items()}


def gain_against_loss(rows: Sequence[Row], *, title: str, special: str) -> Picture:
    """Every remedy as a point with its intervals; the strengths of one remedy are joined.

    Up is what was gained on the special family, left is what was kept of the others.
    """
    found = effects(rows)
    told = "; ".join(
        f"{name} gains {gain.mean:.2f} and loses {-kept.mean:.2f}"
        for name, (gain, kept) in found.items()
    )
    sheet = new_figure(5.9, title=title, alt=f"Scatter chart, {title}: {told}.")
    ax = axes(sheet, xlabel="lost on the other families", ylabel=f"gained on {special}",
              grid="both")  # fmt: skip
    labels = []
    for number, (kind, names) in enumerate(KINDS.items()):
        color, marker = COLORS[number], MARKERS[number]
        line = [name for name in names if name in found]
        ends = ["expert"] if "expert" in found else []
        ax.plot(*np.transpose([_place(found[name]) for name in line + ends]), color=color,
                linewidth=1, alpha=0.5)  # fmt: skip
        for name in line:
            _cross(ax, found[name], color, marker)
            labels.append((_place(found[name]), names[name]))
        ax.plot([], [], marker, color=color, label=kind)
    if "expert" in found:
        _cross(ax, found["expert"], INK, "X")
    ax.plot([], [], "X", color=INK, label="the plain expert")
    ax.plot(0, 0, "o", color="white", markeredgecolor=INK, markersize=9, label="the general model")
    ax.axvline(0, color=FAINT, linewidth=1)
    ax.axhline(0, color=FAINT, linewidth=1)
    marks = [(0.0, 0.0), *(_place(change) for change in found.values())]
    # Intervals that reach farther are cut: those of few seeds may be wider than the picture.
    ax.set_xlim(min(x for x, _ in marks) - 0.1, max(x for x, _ in marks) + 0.15)
    ax.set_ylim(min(y for _, y in marks) - 0.1, max(y for _, y in marks) + 0.15)
    _label(ax, labels, marks)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, frameon=False, fontsize=9)
    footnote(sheet, "mark: mean over seeds · cross: 95 % intervals · thin line: one remedy, from "
                    "strong to weak, ends at the plain expert")  # fmt: skip
    return sheet


def _place(change: tuple[Effect, Effect]) -> tuple[float, float]:
    gain, kept = change
    return -kept.mean, gain.mean


def _cross(ax, change: tuple[Effect, Effect], color: str, marker: str) -> None:
    gain, kept = change
    x, y = _place(change)
    ax.plot([-kept.interval[0], -kept.interval[1]], [y, y], color=color, linewidth=1, alpha=0.7)
    ax.plot([x, x], gain.interval, color=color, linewidth=1, alpha=0.7)
    ax.plot(x, y, marker, color=color, markersize=9, zorder=3)


OFFSETS = ((9, 9), (-9, 9), (9, -10), (-9, -10), (9, 22), (-9, 22), (9, -23), (-9, -23))


def _label(ax, labels: Sequence[tuple], marks: Sequence[tuple[float, float]]) -> None:
    """Writes each text beside its mark where it covers no other text and no mark, if it can."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    across, up = 520 / (right - left), 300 / (high - low)  # points to a unit, about
    taken = [(x * across - 5, y * up - 5, x * across + 5, y * up + 5) for x, y in marks]

    def box(x: float, y: float, text: str, dx: int, dy: int) -> tuple:
        start = x * across + (dx if dx > 0 else dx - 5.5 * len(text))
        return start, y * up + dy - 6, start + 5.5 * len(text), y * up + dy + 6

    def covered(one: tuple) -> int:
        return sum(
            one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
            for other in taken
        )

    for (x, y), text in labels:
        dx, dy = min(OFFSETS, key=lambda move: covered(box(x, y, text, *move)))
        taken.append(box(x, y, text, dx, dy))
        ax.annotate(text, (x, y), xytext=(dx, dy), textcoords="offset points", color=INK,
                    ha="left" if dx > 0 else "right", va="center", fontsize=9)  # fmt: skip


def by_family(rows: Sequence[Row], profile: Profile, names: Sequence[str]) -> Picture:
    """Accuracy in every family, the special one first: a row for each, a mark for each model."""
    plan = PLANS[profile.name]
    shares = {name: _shares(rows, profile, RECIPES[name]) for name in names}
    families = sorted(
        (f for f in shares[names[0]] if f != plan.special), key=lambda f: shares[names[-1]][f]
    )
    order = [plan.special, *families]
    told = "; ".join(
        f"{family}: " + ", ".join(f"{name} {shares[name][family]:.2f}" for name in names)
        for family in order
    )
    title = "What each model can still do"
    sheet = new_figure(0.9 + 0.29 * len(order), title=title, alt=f"Dot chart, {title}: {told}.")
    ax = axes(sheet, xlabel="share correct, held-out entities", grid="x")
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
    footnote(sheet, f"mark: mean over {len({row.seed for row in rows})} seeds")
    return sheet


def _shares(rows: Sequence[Row], profile: Profile, recipe: Recipe) -> dict[str, float]:
    """Family → share correct, over all questions of all seeds."""
    plan = PLANS[profile.name]
    right: dict[str, list[float]] = {}
    for row in arm(rows, recipe):
        paper = exam(plan, row.seed)
        for which in ("special", "others"):
            asked = zip(getattr(paper, which), row.items(which), strict=True)
            for example, item in asked:
                right.setdefault(example.family, []).append(item)
    return {family: fmean(items) for family, items in right.items()}


def table(rows: Sequence[Row], names: Sequence[str]) -> str:
    """A line for each model: special, others, prose perplexity, facts, steps; means over seeds."""
    lines = [f"{'':28}{'special':>9}{'others':>9}{'prose':>9}{'facts':>9}{'steps':>7}"]
    for name in names:
        found = arm(rows, RECIPES[name])
        if found:
            special, others = (fmean(r.accuracy(w) for r in found) for w in ("special", "others"))
            prose, facts = exp(fmean(r.prose for r in found)), fmean(r.facts for r in found)
            lines.append(
                f"{name:28}{special:9.3f}{others:9.3f}{prose:9.2f}{facts:9.3f}{found[0].steps:7}"
            )
    return "\n".join(lines)


def browse(rows: Sequence[Row], names: Sequence[str]) -> Slider:
    """A slider over models: their scores, and what the one of the first seed says."""
    shown = [name for name in names if arm(rows, RECIPES[name])]

    def look(chosen: Sequence[str]):
        first = {name: arm(rows, RECIPES[name])[0] for name in chosen}
        asked = list(first[chosen[0]].said)
        lines = [
            TranscriptRow(q, {name: row.said[q] for name, row in first.items()}) for q in asked
        ]
        for which in ("special", "others"):
            shares = {
                name: f"{fmean(r.accuracy(which) for r in arm(rows, RECIPES[name])):.2f}"
                for name in chosen
            }
            lines.append(TranscriptRow(f"right answers, {which}", shares))
        return transcript(lines)

    return Slider("model", shown, lambda name: look([name]), look(shown))


def origin(rows: Sequence[Row]) -> str:
    """Where stored rows are from: seeds, date, machine."""
    seeds = {row.seed for row in rows}
    dates, machines = ({getattr(r, name) for r in rows} for name in ("date", "machine"))
    return f"{len(seeds)} seeds, {max(dates)}, {', '.join(sorted(machines))}"
