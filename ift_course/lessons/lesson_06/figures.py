"""What lesson 06 shows of its grid: rows in, plain data for the charts out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from statistics import fmean

from ift_course.lessons.lesson_06 import experiment
from ift_course.lessons.lesson_06.bases import SHIPPED
from ift_course.lessons.lesson_06.experiment import COUNTS, Cell, Row
from ift_course.world.tasks import HELD_OUT_FAMILIES

ALL_OTHERS = "all others"
KINDS = {
    "as usual": {},
    "one wording": {"one_wording": True},
    "no instruction": {"instructions": False},
    "four times the examples": {"examples": 4 * experiment.EXAMPLES, "equal_steps": True},
}


def arm(rows: Sequence[Row], cell: Cell, test: str = "held out") -> list[list[float]]:
    """The cell's item scores, one list for each seed: an arm of a claim or a chart."""
    found = sorted((row for row in rows if row.cell == cell), key=lambda row: row.seed)
    return [row.scores(test) for row in found]


def paired(rows: Sequence[Row], *cells: Cell) -> list[list[list[float]]]:
    """An arm for each cell, of the seeds that all of them have."""
    seeds = set.intersection(*({row.seed for row in rows if row.cell == cell} for cell in cells))
    return [arm([row for row in rows if row.seed in seeds], cell) for cell in cells]


def by_families(rows: Sequence[Row], base: str = SHIPPED, test: str = "held out") -> dict:
    """Number of families tuned on → seeds, of the plain cells of a base."""
    found = {count: arm(rows, Cell(count, base=base), test) for count in COUNTS}
    return {count: seeds for count, seeds in found.items() if seeds}


def without(family: str, seeds: Sequence[Sequence[float]]) -> list[list[float]]:
    """The held-out scores by seed, on all families but one."""
    place = HELD_OUT_FAMILIES.index(family)
    each = len(seeds[0]) // len(HELD_OUT_FAMILIES)
    return [[*scores[: place * each], *scores[(place + 1) * each :]] for scores in seeds]


def by_held_out(rows: Sequence[Row]) -> dict[tuple[str, str], float]:
    """(number of families tuned on, held-out family) → mean share of right answers.

    The last row has FLAN's way: everything else was tuned on.
    """
    cells = {str(count): Cell(count) for count in COUNTS}
    found = {
        (name, family): fmean(map(fmean, seeds))
        for name, cell in cells.items()
        for family, seeds in families(rows, cell).items()
    }
    for family in HELD_OUT_FAMILIES:
        if seeds := arm(rows, experiment.fair_cell(experiment.ALL_BUT_ONE, family, 0)):
            found[ALL_OTHERS, family] = fmean(map(fmean, seeds))
    return found


def families(rows: Sequence[Row], cell: Cell) -> dict[str, list[list[float]]]:
    """Held-out family → seeds, of one cell."""
    seeds = arm(rows, cell)
    if not seeds:
        return {}
    each = len(seeds[0]) // len(HELD_OUT_FAMILIES)
    return {
        family: [scores[i * each :][:each] for scores in seeds]
        for i, family in enumerate(HELD_OUT_FAMILIES)
    }


def one_at_a_time(rows: Sequence[Row], *counts: int) -> list[list[list[float]]]:
    """An arm for each number of families tuned on, of the seeds that all of them have.

    Each held-out family is asked in FLAN's way, of its `multitask.fair_cell`.
    """
    done = {(row.cell, row.seed): row for row in rows}
    arms: list[list[list[float]]] = [[] for _ in counts]
    for seed in sorted({row.seed for row in rows}):
        asked = [
            [(done.get((experiment.fair_cell(n, f, seed), seed)), f) for f in HELD_OUT_FAMILIES]
            for n in counts
        ]
        if all(row for tests in asked for row, _ in tests):
            for found, tests in zip(arms, asked, strict=True):
                found.append([score for row, f in tests for score in _of_family(row, f)])
    return arms


def in_flans_way(rows: Sequence[Row]) -> dict[int, list[list[float]]]:
    """Number of families tuned on → seeds, each held-out family asked in FLAN's way."""
    found = {count: one_at_a_time(rows, count)[0] for count in (*COUNTS, experiment.ALL_BUT_ONE)}
    return {count: seeds for count, seeds in found.items() if seeds}


def _of_family(row: Row, family: str) -> list[float]:
    if row.cell.tested:
        return row.scores()
    return families([row], row.cell)[family][0]


def in_prose(rows: Sequence[Row], base: str, cell: Cell) -> tuple[list, list]:
    """(the untuned base completing sentences, the cell's model answering instructions).

    Both on the questions that have such a sentence, one list for each seed that both have.
    """
    before = {row.seed: row for row in rows if row.cell == Cell(0, base=base)}
    after = {row.seed: row for row in rows if row.cell == cell}
    completed, answered = [], []
    for seed in sorted(before.keys() & after.keys()):
        asked = before[seed].items["in prose"]
        pairs = zip(asked, after[seed].items["held out"], strict=True)
        completed.append(before[seed].scores("in prose"))
        answered.append([float(right) for sentence, right in pairs if sentence != "-"])
    return completed, answered


def origin(rows: Sequence[Row]) -> str:
    """Where stored rows are from: seeds, date, machine."""
    dates = sorted({row.date for row in rows})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    seeds = len({row.seed for row in rows})
    return f"{seeds} seed{'s' if seeds > 1 else ''}, {when}, {rows[0].machine}"


def options() -> dict[str, list]:
    """The sliders of the explorer."""
    return {"families": [0, *COUNTS], "tuned": list(KINDS)}


def look(rows: Sequence[Row]) -> Callable[[int, str], str]:
    """A view for `display.grids.explore`: what such a model was tuned on, how it did, what it says.

    Of the first seed that was measured.
    """
    from ift_course.plots.transcript import TranscriptRow, transcript

    def view(count: int, kind: str) -> str:
        cell = Cell(count, **KINDS[kind]) if count else Cell(0)
        found = sorted((row for row in rows if row.cell == cell), key=lambda row: row.seed)
        if not found:
            return "<p><b>Not measured</b>: choose 1 or all families for this one.</p>"
        row = found[0]
        shown = experiment.training_set(cell, row.seed)[:6] if count else []
        told = "".join(
            f"<li>{escape(f'{e.instruction} {e.input}'.strip())} → <i>{escape(e.response)}</i></li>"
            for e in shown
        )
        seeds = ", ".join(f"{row.accuracy():.2f}" for row in found)
        head = f"<p>Tuned on {', '.join(row.families) or 'nothing'}.</p><ul>{told}</ul>"
        answers = transcript(
            [TranscriptRow(asked, {"it says": said}) for asked, said in row.said.items()]
        )
        return f"{head}<p>Held-out families, by seed: <b>{seeds}</b></p>{answers.html()}"

    return view
