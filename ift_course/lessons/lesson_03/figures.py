"""What lesson 03 shows of its grid: rows in, plain data for the charts out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape
from statistics import fmean

from ift_course.lessons.lesson_03.config import Cell, Row
from ift_course.lessons.lesson_03.experiment import SHARES, SIZES, training_set

BUDGETS = {"four epochs": "epochs", "the same steps": "steps"}


def arm(rows: Iterable[Row], cell: Cell) -> list[list[float]]:
    """The cell's item scores, one list for each seed: an arm of a claim or a chart."""
    found = sorted((row for row in rows if row.cell == cell), key=lambda row: row.seed)
    return [row.scores for row in found]


def arms(rows: Sequence[Row], cells: dict[str, Cell]) -> dict[str, list[list[float]]]:
    """`arm` for each named cell that has rows."""
    found = {name: arm(rows, cell) for name, cell in cells.items()}
    return {name: seeds for name, seeds in found.items() if seeds}


def either(stored: Sequence[Row], live: Sequence[Row]) -> list[Row]:
    """The stored rows, and the live ones of cells that are not stored."""
    known = {row.cell for row in stored}
    return [*stored, *(row for row in live if row.cell not in known)]


def by_share(rows: Sequence[Row], *, equal_steps: bool) -> dict[str, dict[float, list]]:
    """Share flawed → number of examples → seeds, of the plain cells with the one or other budget.

    The names are those of `share_name`, from good to bad.
    """
    plain = {row.cell for row in rows if row.cell == _plain(row.cell)}
    chosen = sorted({c for c in plain if bool(c.steps) == equal_steps}, key=lambda c: c.sort_key)
    found: dict[str, dict[float, list]] = {
        share_name(share): {} for share in SHARES if any(c.flawed == share for c in chosen)
    }
    for cell in chosen:
        found[share_name(cell.flawed)][cell.examples] = arm(rows, cell)
    return found


def share_name(share: float) -> str:
    """ "curated", or "60 % flawed"."""
    return f"{share:.0%} flawed".replace("%", " %") if share else "curated"


def origin(rows: Sequence[Row]) -> str:
    """Where stored rows are from: seeds of a cell, date, machine."""
    dates = sorted({row.date for row in rows})
    machines = ", ".join(sorted({row.machine for row in rows}))
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    seeds = Counter(row.cell for row in rows).values()
    many = f"{min(seeds)} seeds" if len(set(seeds)) == 1 else f"{min(seeds)} to {max(seeds)} seeds"
    return f"{many}, {when}, {machines}"


def replaced_by(rows: Sequence[Row], reference: Cell, share: float, slack: float) -> int | None:
    """The least number of examples with this share flawed that comes within `slack` of the
    reference on average, at the same number of epochs; None if none of the grid does."""
    aim = _mean(arm(rows, reference) or [[math.inf]]) - slack
    sizes = by_share(rows, equal_steps=False).get(share_name(share), {})
    return next((int(n) for n, seeds in sorted(sizes.items()) if _mean(seeds) >= aim), None)


def table(rows: Sequence[Row], *, equal_steps: bool = False) -> dict[tuple[str, str], float]:
    """(number of examples, share flawed) → mean accuracy with the one or other budget."""
    found = by_share(rows, equal_steps=equal_steps)
    return {
        (f"{n:,.0f}", name): _mean(points[n])
        for n in sorted({n for points in found.values() for n in points})
        for name, points in found.items()
        if n in points
    }


def look(rows: Sequence[Row], live: Sequence[Row] = ()) -> Callable[[int, str, str], str]:
    """A view for `display.grids.explore`: number of examples, share flawed, budget → HTML.

    It shows what the model was tuned on, how it scored, and what it answers.
    """
    from ift_course.plots.transcript import TranscriptRow, transcript

    steps = next((row.cell.steps for row in rows if row.cell.steps and not row.cell.pool), 0)

    def view(examples: int, share: str, budget: str) -> str:
        flawed = next(s for s in SHARES if share_name(s) == share)
        cell = Cell(examples, flawed, steps=steps if BUDGETS[budget] == "steps" else 0)
        found = [row for row in [*live, *rows] if row.cell == cell]
        tuned_on = "".join(_training_line(e) for e in training_set(cell, 0)[:6])
        head = f"<p>Tuned on {examples:,} examples, among them:</p><ul>{tuned_on}</ul>"
        if not found:
            return f"{head}<p><b>Not measured</b>: <code>ift run 03 --full</code> does it.</p>"
        seeds = {row.seed: row for row in found}.values()
        told = ", ".join(f"{row.accuracy:.3f}" for row in seeds)
        mean = fmean(row.accuracy for row in seeds)
        asked = [
            TranscriptRow(q, {f"seed {row.seed}": row.said[q] for row in seeds})
            for q in found[0].said
        ]
        return f"{head}<p><b>{mean:.3f}</b> right (seeds {told})</p>{transcript(asked).html()}"

    return view


def options() -> dict[str, list]:
    """The sliders of the explorer."""
    return {
        "examples": list(SIZES),
        "quality": [share_name(share) for share in SHARES],
        "budget": list(BUDGETS),
    }


def _training_line(example) -> str:
    from ift_course.data.records import user_text
    from ift_course.world.tasks import verify

    mark = "✓" if verify(example, example.response) else "✗"
    asked = escape(user_text(example.instruction, example.input))
    return f"<li>{mark} {asked} → <i>{escape(example.response) or '(nothing)'}</i></li>"


def _plain(cell: Cell) -> Cell:
    """The cell with nothing but its size, quality and budget."""
    return Cell(cell.examples, cell.flawed, steps=cell.steps)


def _mean(seeds: Sequence[Sequence[float]]) -> float:
    return fmean(fmean(seed) for seed in seeds)
