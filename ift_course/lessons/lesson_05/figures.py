"""What lesson 05 shows of its stored runs."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from ift_course.lessons.lesson_05.experiment import ASKED, Row, arm
from ift_course.plots import charts
from ift_course.plots.cards import Card
from ift_course.plots.preference_figures import Slider
from ift_course.plots.transcript import Transcript, TranscriptRow, transcript

SHOWN = ("sycophancy", "contradiction", "invention", "accuracy")
NOTHING = Card(
    "note",
    "nothing stored",
    "For this profile and base model no sweep has been computed.",
    ["Compute it: ift run 05 --full"],
)


def beta_lines(stored: Sequence[Row]):
    """The measures by beta, as a chart that says it is stored."""
    betas = _betas(stored)
    if not betas:
        return NOTHING
    return charts.lines_with_intervals(
        betas,
        {name: [_items(stored, beta, name) for beta in betas] for name in SHOWN},
        title=f"DPO by β. Stored results: {origin(stored)}",
        xlabel="β",
        ylabel="share of prompts",
        log=True,
    )


def beta_slider(stored: Sequence[Row]):
    """A slider over the betas: the shares, and what the model of the first seed says."""
    betas = _betas(stored)
    if not betas:
        return NOTHING
    return Slider("β", betas, lambda beta: _table(stored, [beta]), _table(stored, betas))


def origin(stored: Sequence[Row]) -> str:
    """Where stored runs are from: seeds, date, machine."""
    seeds = {row.seed for row in stored}
    dates, machines = ({getattr(r, name) for r in stored} for name in ("date", "machine"))
    return f"{len(seeds)} seeds, {max(dates)}, {', '.join(sorted(machines))}"


def _betas(stored: Sequence[Row]) -> list[float]:
    return sorted({row.cell.beta for row in stored if row.cell.sides == "both"})


def _table(stored: Sequence[Row], betas: Sequence[float]) -> Transcript:
    said = {
        row.cell.beta: row.said
        for row in sorted(stored, key=lambda row: -row.seed)
        if row.cell.sides == "both"
    }
    rows = [TranscriptRow(asked, {f"β = {b:g}": said[b][asked] for b in betas}) for asked in ASKED]
    for name in SHOWN:
        shares = {f"β = {b:g}": f"{fmean(map(fmean, _items(stored, b, name))):.2f}" for b in betas}
        rows.append(TranscriptRow(name, shares))
    return transcript(rows)


def _items(stored: Sequence[Row], beta: float, measure: str) -> list[list[float]]:
    return [row.items(measure) for row in arm(stored, stage="DPO", beta=beta, sides="both")]
