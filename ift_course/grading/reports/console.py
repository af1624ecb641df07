"""What `ift grade` and `ift regrade` print: progress, who moves, and a summary of the class."""

from __future__ import annotations

import json
from collections import Counter
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from ift_course.grading.layers import FILE_LAYERS, PROTECTIONS
from ift_course.grading.reports.pages import unused
from ift_course.grading.roster import ROSTER, rows_without_person

if TYPE_CHECKING:
    from pathlib import Path

    from ift_course.grading.grade import Progress
    from ift_course.grading.gradebook import Gradebook, StudentGrade

MOST_REASONS = 5  # that are listed
MOST_STUDENTS = 20


class ProgressBar:
    """How many submissions are graded, and the last one's points. A context manager."""

    def __init__(self) -> None:
        self._bar = Bar(TextColumn("grading"), BarColumn(), MofNCompleteColumn(),
                        TimeRemainingColumn(),
                        TextColumn("{task.description}", style="dim", markup=False),
                        console=Console(stderr=True), transient=True)  # fmt: skip
        self._task = self._bar.add_task("starting", total=None)

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def step(self, progress: Progress) -> None:
        """Shows one more submission."""
        lines = progress.after.values()
        earned = sum(x["points"] for x in lines if x["status"] == "passed")
        points = sum(x["points"] for x in lines)
        self._bar.update(self._task, total=progress.total, completed=progress.number,
                         description=f"{progress.name}: {earned:g} of {points:g}")  # fmt: skip


def moves(progress: Progress) -> tuple[float, list[str]]:
    """The points gained, and each check with another status or other points than before."""
    changes, gain = [], 0.0
    for check, after in progress.after.items():
        before = progress.before.get(check)
        status = before["status"] if before else "not graded"
        earned = before["points"] if before and status == "passed" else 0
        now_earned = after["points"] if after["status"] == "passed" else 0
        gain += now_earned - earned
        if status != after["status"]:
            changes.append(f"{check} {status} → {after['status']}")
        elif earned != now_earned:
            changes.append(f"{check} {earned:g} → {now_earned:g} points")
    return gain, changes


def print_moves(console: Console, graded: list[Progress]) -> None:
    """Prints each check whose verdict is another than before, and what that does to the points.

    Args:
        console: To print to.
        graded: The submissions of this run.
    """
    for progress in sorted(graded, key=lambda x: x.student):
        gain, changes = moves(progress)
        if changes:
            word = "point" if abs(gain) == 1 else "points"
            console.print(f"{progress.name}: {gain:+g} {word} ({'; '.join(changes)})", markup=False)
    if not graded:
        console.print("No check and no submission has changed; nothing was run.")


def print_summary(console: Console, book: Gradebook, out: Path, graded: int) -> None:
    """Prints the state of the class, the files that were not used, and who needs a look.

    Args:
        console: To print to.
        book: The class.
        out: The folder of the gradebook.
        graded: How many submissions were graded in this run.
    """
    counts = Counter(x.status for x in book.grades)
    states = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    console.print(f"{graded} graded now. The class: {states}.")
    totals = [x.total for x in book.grades if x.submission]
    if totals:
        console.print(f"Half of them have {median(totals):g} of {book.points:g} points or more.")
    _print_files(console, book)
    _print_roster(console, out)
    _print_doubtful(console, book, out)
    console.print(f"{out / 'overview.html'}, gradebook.csv, feedback/ and more are in {out}.",
                  markup=False)  # fmt: skip


def _print_files(console: Console, book: Gradebook) -> None:
    """Prints how the submissions were read, and the files that were not used."""
    for account in book.accounts:
        console.print(account["layout"], markup=False)
    reasons = unused(book)
    total = sum(len(files) for _, files in reasons)
    if total:
        console.print(f"{total} {'file was' if total == 1 else 'files were'} not used:")
    for reason, files in reasons[:MOST_REASONS]:
        console.print(f"  {len(files)}: {reason} ({files[0]})", style="dim", markup=False)
    if len(reasons) > MOST_REASONS:
        console.print(f"  and for {len(reasons) - MOST_REASONS} other reasons; see files.csv.")


def _print_roster(console: Console, out: Path) -> None:
    rows = _rows_without_person(out)
    if rows:
        names = ", ".join(rows[:MOST_REASONS])
        console.print(f"Rows of the roster that stand for nobody: {names}.", markup=False)


def _rows_without_person(out: Path) -> list[str]:
    roster = out / ROSTER
    return rows_without_person(roster) if roster.is_file() else []


def _print_doubtful(console: Console, book: Gradebook, out: Path) -> None:
    doubtful = [x for x in book.grades if x.status == "needs review" or x.flags]
    for grade in doubtful[:MOST_STUDENTS]:
        reasons = " ".join([_problem(grade), *grade.flags]).strip() or f"{out}/feedback"
        console.print(f"Look at {grade.name}: {reasons}", style="yellow", markup=False)
    if len(doubtful) > MOST_STUDENTS:
        console.print(f"Look at {len(doubtful) - MOST_STUDENTS} more, in overview.html.")


def _problem(grade: StudentGrade) -> str:
    return grade.submission.get("problem", "") if grade.submission else ""


def print_json(book: Gradebook, out: Path, graded: list[Progress]) -> None:
    """Prints one JSON object for programs.

    Args:
        book: The class.
        out: The folder of the gradebook.
        graded: The submissions of this run.
    """
    students = [
        {"student": x.student, "name": x.name, "status": x.status, "total": x.total,
         "worth": x.points, "days_late": x.days_late,
         "file": x.submission["source"] if x.submission else "", "problem": _problem(x),
         "flags": x.flags}
        for x in book.grades
    ]  # fmt: skip
    files = [
        {"file": file, "student": student, "reason": reason}
        for account in book.accounts
        for file, student, reason in account["unused"]
    ]
    report = {
        "lesson": book.plan["lesson"], "gradebook": str(out), "graded_now": len(graded),
        "layout": [x["layout"] for x in book.accounts],
        "questions": [question for x in book.accounts for question in x["questions"]],
        "files": sum(x["files"] for x in book.accounts),
        "files_used": sum(len(x["used"]) for x in book.accounts), "files_unused": files,
        "roster_left_out": _rows_without_person(out),
        "moves": {x.student: _moves_as_json(x) for x in graded}, "students": students,
    }  # fmt: skip
    print(json.dumps(report, ensure_ascii=False, indent=1))


def _moves_as_json(progress: Progress) -> dict[str, Any]:
    gain, changes = moves(progress)
    return {"points": gain, "changes": changes}


def print_protections(layers: list[str]) -> None:
    """Prints what student code cannot do on this machine, for `ift doctor --grading`.

    Args:
        layers: Those that are active.
    """
    console = Console(highlight=False)
    table = Table("student code cannot", "because of", "", box=None, pad_edge=False)
    for action, names in PROTECTIONS:
        holding = [x for x in names if x in layers]
        sign = "[green]holds[/green]" if holding else "[red]does not hold[/red]"
        table.add_row(action, ", ".join(holding or names), sign)
    console.print(table)
    if not FILE_LAYERS.intersection(layers):
        console.print("Hidden checks are refused here; install bubblewrap or use Linux 5.13.")
