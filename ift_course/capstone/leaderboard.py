"""The leaderboard of a class: one page in HTML, and one table as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ift_course
from ift_course.capstone.exam import Exam
from ift_course.capstone.marking import Entry
from ift_course.capstone.places import places
from ift_course.disk import atomic_write_text
from ift_course.evaluation.intervals import Interval
from ift_course.evaluation.paired import share_interval
from ift_course.grading.reports.tables import csv_text

if TYPE_CHECKING:
    from jinja2 import Environment

PAGE, TABLE = "leaderboard.html", "leaderboard.csv"


@dataclass(frozen=True)
class Line:
    """An examined entry with its place."""

    place: int
    entry: Entry

    @property
    def score(self) -> float:
        """The share of right answers."""
        return self.entry.items.count("1") / len(self.entry.items)

    @property
    def interval(self) -> Interval:
        """Its 95 % interval (Wilson)."""
        return share_interval(self.entry.items.count("1"), len(self.entry.items))

    @property
    def is_baseline(self) -> bool:
        """Whether it is a control and nobody's work."""
        return self.entry.status == "baseline"


@dataclass(frozen=True)
class Leaderboard:
    """The results of a class.

    Attributes:
        lines: What was examined, the best first.
        others: What was refused or needs a look.
        exam: The exam.
    """

    lines: list[Line]
    others: list[Entry]
    exam: Exam

    @property
    def seed(self) -> int:
        """The exam's seed."""
        return self.exam.seed


def make(entries: Sequence[Entry], exam: Exam) -> Leaderboard:
    """Rank what was examined.

    A suspected entry is ranked among the others, so that a person decides about it; it moves nobody
    else down.

    Args:
        entries: The results of a class and the baselines.
        exam: The exam.
    """
    examined = [x for x in entries if x.status in ("examined", "baseline")]
    fair = [x for x in examined if not x.suspicion]
    ranked = []
    for entry in examined:
        field = fair if not entry.suspicion else [*fair, entry]
        place = places([x.verdicts for x in field])[field.index(entry)]
        ranked.append(Line(place, entry))
    ranked.sort(key=lambda x: (x.place, -x.score, x.is_baseline, x.entry.student))
    others = sorted((x for x in entries if x not in examined), key=lambda x: x.student)
    return Leaderboard(ranked, others, exam)


def write(board: Leaderboard, out: Path) -> list[Path]:
    """Write the page and the table, and return their paths.

    Args:
        board: The leaderboard.
        out: The folder.
    """
    atomic_write_text(out / PAGE, render("leaderboard.html.j2", board=board))
    atomic_write_text(out / TABLE, table(board))
    return [out / PAGE, out / TABLE]


def table(board: Leaderboard) -> str:
    """The leaderboard as CSV, in which nothing is a formula.

    Args:
        board: The leaderboard.
    """
    head = ["place", "student", "title", "status", "score", "low", "high", "questions", "rows",
            "steps", "remark"]  # fmt: skip
    rows: list[list[Any]] = []
    for line in board.lines:
        entry, (low, high) = line.entry, line.interval
        numbers = [round(x, 3) for x in (line.score, low, high)]
        rows.append([line.place, entry.student, entry.title, entry.status, *numbers,
                     len(entry.items), entry.n_rows, entry.steps, entry.suspicion])  # fmt: skip
    for entry in board.others:
        rows.append(["", entry.student, "", entry.status, *[""] * 6, entry.sentence])
    return csv_text(head, rows)


def render(template: str, **values: Any) -> str:
    """Fill in a template of this folder; everything is escaped.

    Args:
        template: Its name.
        values: For its variables.
    """
    values |= {"version": ift_course.__version__}
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    folders = ("capstone", "grading/reports")  # the latter for its style
    return Environment(
        loader=ChoiceLoader([PackageLoader("ift_course", folder) for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
