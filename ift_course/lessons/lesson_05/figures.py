"""Lesson 05's figures and tables of its stored runs."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from ift_course.claims.results import origin as origin
from ift_course.lessons.lesson_05.experiment import SAMPLE_PROMPTS, PreferenceResult, arm
from ift_course.plots import charts
from ift_course.plots.cards import Card
from ift_course.plots.preference_figures import Slider
from ift_course.plots.transcript import Transcript, TranscriptRow, transcript

if TYPE_CHECKING:
    from ift_course.plots.figure import Picture

SWEEP_MEASURES = ("sycophancy", "contradiction", "hallucination", "accuracy")
NOTHING = Card(
    "note",
    "nothing stored",
    "For this profile and base model no sweep has been computed.",
    ["Compute it: ift run 05 --full"],
)


def beta_lines(stored: Sequence[PreferenceResult]) -> Picture | Card:
    """The measures by beta, as a chart whose title says that the results are stored."""
    betas = _betas(stored)
    if not betas:
        return NOTHING
    return charts.lines_with_intervals(
        betas,
        {name: [_items(stored, beta, name) for beta in betas] for name in SWEEP_MEASURES},
        title=f"DPO by β. Stored results: {origin(stored)}",
        xlabel="β",
        ylabel="share of prompts",
        log=True,
    )


def beta_slider(stored: Sequence[PreferenceResult]) -> Slider | Card:
    """A slider over the betas: the shares, and the answers of the model of the first seed."""
    betas = _betas(stored)
    if not betas:
        return NOTHING
    return Slider("β", betas, lambda beta: _table(stored, [beta]), _table(stored, betas))


def _betas(stored: Sequence[PreferenceResult]) -> list[float]:
    return sorted({result.config.beta for result in stored if result.config.sides == "both"})


def _table(stored: Sequence[PreferenceResult], betas: Sequence[float]) -> Transcript:
    answers = {  # of the first seed, which comes last
        result.config.beta: result.answers
        for result in sorted(stored, key=lambda result: -result.seed)
        if result.config.sides == "both"
    }
    rows = [TranscriptRow(p, {f"β = {b:g}": answers[b][p] for b in betas}) for p in SAMPLE_PROMPTS]
    for name in SWEEP_MEASURES:
        shares = {f"β = {b:g}": f"{fmean(map(fmean, _items(stored, b, name))):.2f}" for b in betas}
        rows.append(TranscriptRow(name, shares))
    return transcript(rows)


def _items(stored: Sequence[PreferenceResult], beta: float, measure: str) -> list[list[float]]:
    results = arm(stored, stage="DPO", beta=beta, sides="both")
    return [result.items(measure) for result in results]
