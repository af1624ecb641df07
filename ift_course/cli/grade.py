"""`ift grade` and `ift regrade`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ift_course.grading.grade import Done

OUT = Path("gradebook")


def grade(
    submissions: Annotated[
        Path | None, typer.Argument(help="A folder or zip of notebooks or .py files.")
    ] = None,
    lesson: Annotated[str | None, typer.Option(help='The lesson\'s number, as "02".')] = None,
    out: Annotated[Path, typer.Option(help="The folder of the gradebook.")] = OUT,
    roster: Annotated[
        Path | None, typer.Option(help="CSV: student,name,email,canvas_id,moodle_id,submitted ...")
    ] = None,
    hidden: Annotated[Path | None, typer.Option(help="A folder of your own checks.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Most submissions at a time.")] = 2,
    seed: Annotated[str, typer.Option(help="Names the course; varies the inputs.")] = "0",
    due: Annotated[datetime | None, typer.Option(help="In UTC; with it, lateness costs.")] = None,
    late_percent: Annotated[float, typer.Option(help="Lost for each begun day.")] = 10,
    late_most: Annotated[float, typer.Option(help="The most that lateness costs, in %.")] = 100,
    grace_minutes: Annotated[float, typer.Option(help="After the due time.")] = 0,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for a check.")] = 10,
    cell_timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for a cell.")] = 20,
    memory: Annotated[int, typer.Option(min=64, help="MB for a student's code.")] = 2048,
    insist: Annotated[
        bool, typer.Option(help="Run hidden checks where they cannot be kept hidden.")
    ] = False,
    similarity: Annotated[bool, typer.Option(help="Compare the submissions (copydetect).")] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="STUDENT", help="Show one student's feedback.")
    ] = None,
) -> None:
    """Grade a class: run the checks of a lesson on everything that was handed in.

    Student code runs shut in, in a process that holds no check; `ift doctor --grading` says what
    holds on this machine. Stop it at any moment and run it again: nothing is graded twice. All
    files in the gradebook's folder are made from its results.jsonl.

    [bold]Examples[/bold]

        ift grade submissions.zip --lesson 02 --roster roster.csv

        ift grade submissions/ --lesson 02 --hidden ~/hidden --due 2026-10-01T22:00:00

        ift grade --explain jane
    """
    if explain is not None:
        return _explain(out, explain)
    from ift_course.errors import CourseError
    from ift_course.grading.plan import Plan

    if submissions is None or lesson is None:
        raise CourseError(
            "Name what to grade and for which lesson: ift grade submissions.zip --lesson 02."
        )
    if not submissions.exists():
        raise CourseError(
            f"There is nothing at {submissions}; name the folder or zip of submissions."
        )
    _ = Plan(lesson, hidden).checks  # what is wrong with them is said before anything is written
    settings = {"submissions": str(submissions.resolve()), "lesson": lesson, "seed": seed,
                "hidden": str(hidden.resolve()) if hidden else "", "jobs": jobs, "memory": memory,
                "timeout": timeout, "cell_timeout": cell_timeout, "insist": insist}  # fmt: skip
    late = {"due": due.isoformat() + "Z", "percent_per_day": late_percent, "grace_minutes":
            grace_minutes, "percent_at_most": late_most} if due else None  # fmt: skip
    _keep(out, settings, roster, late)
    _run(out, settings, show_moves=False)
    if similarity:
        _compare(out, settings)


def regrade(
    out: Annotated[Path, typer.Argument(metavar="GRADEBOOK", help="The gradebook's folder.")] = OUT,
) -> None:
    """Grade again what a changed check or a new submission affects, and say who moves and why.

    Submissions, lesson and limits are those of the last `ift grade` into this folder. Roster, late
    policy and overrides are read anew.

    [bold]Example[/bold]

        ift regrade gradebook
    """
    import json

    from ift_course.errors import CourseError

    try:
        settings = json.loads((out / "settings.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise CourseError(f"Nothing was graded into {out} before; ift grade does that.") from None
    _run(out, settings, show_moves=True)


def _keep(out: Path, settings: dict, roster: Path | None, late: dict | None) -> None:
    """What the gradebook depends on is kept beside it."""
    import json

    from ift_course.grading import gradebook
    from ift_course.paths import write_whole

    if roster:
        gradebook.read_roster(roster)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "settings.json", json.dumps(settings, indent=1) + "\n")
    if late:
        write_whole(out / gradebook.POLICY, json.dumps(late, indent=1) + "\n")
    if roster and roster.resolve() != (out / gradebook.ROSTER).resolve():
        write_whole(out / gradebook.ROSTER, roster.read_text(encoding="utf-8-sig"))


def _run(out: Path, settings: dict, show_moves: bool) -> None:
    from rich.console import Console

    from ift_course.grading import gradebook, reports
    from ift_course.grading.attempt import Times
    from ift_course.grading.grade import grade as run
    from ift_course.grading.plan import Plan
    from ift_course.grading.pool import Setting

    hidden = Path(settings["hidden"]) if settings["hidden"] else None
    setting = Setting(
        plan=Plan(settings["lesson"], hidden, settings["seed"]),
        times=Times(cell=settings["cell_timeout"], check=settings["timeout"]),
        memory_mb=settings["memory"],
    )
    moved: list[Done] = []
    with _Bar() as bar:

        def on_done(done: Done) -> None:
            bar.step(done)
            moved.append(done)

        run(Path(settings["submissions"]), out, setting, jobs=settings["jobs"],
            insist=settings["insist"], on_done=on_done)  # fmt: skip
    book = gradebook.load(out)
    reports.write(book, out)
    console = Console(soft_wrap=True, highlight=False)
    if show_moves:
        _tell_moves(console, moved)
    _summarize(console, book, out, graded=len(moved))


class _Bar:
    """How many are graded, and whose turn it is."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Left

        self._bar = Progress(TextColumn("grading"), BarColumn(), MofNCompleteColumn(), Left(),
                             TextColumn("{task.description}", style="dim", markup=False),
                             console=Console(stderr=True), transient=True)  # fmt: skip

    def __enter__(self) -> _Bar:
        self._bar.start()
        self._task = self._bar.add_task("starting", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def step(self, done: Done) -> None:
        earned = sum(x["points"] for x in done.after.values() if x["status"] == "passed")
        worth = sum(x["points"] for x in done.after.values())
        said = f"{done.name}: {earned:g} of {worth:g}"
        self._bar.update(self._task, total=done.total, completed=done.number, description=said)


def _tell_moves(console, moved: list[Done]) -> None:
    """Each check that says something else than before, and what that does to the points."""
    for done in sorted(moved, key=lambda x: x.student):
        changes, gain = [], 0.0
        for check, after in done.after.items():
            before = done.before.get(check)
            if before and before["status"] == after["status"]:
                continue
            gain += after["points"] * (after["status"] == "passed")
            if before:
                gain -= before["points"] * (before["status"] == "passed")
            said = before["status"] if before else "not graded"
            changes.append(f"{check} {said} → {after['status']}")
        if changes:
            console.print(f"{done.name}: {gain:+g} points ({'; '.join(changes)})", markup=False)
    if not moved:
        console.print("No check and no submission has changed; nothing was run.")


def _summarize(console, book, out: Path, graded: int) -> None:
    from collections import Counter
    from statistics import median

    counts = Counter(x.status for x in book.grades)
    states = ", ".join(f"{n} {x}" for x, n in sorted(counts.items()))
    console.print(f"{graded} graded now. The class: {states}.")
    totals = [x.total for x in book.grades if x.line]
    if totals:
        console.print(f"Half of them have {median(totals):g} of {book.worth:g} points or more.")
    for x in book.grades:
        if x.status == "needs review":
            console.print(f"Look at {x.name}: {out}/feedback", style="yellow", markup=False)
    console.print(f"{out / 'overview.html'}, gradebook.csv, feedback/ and more are in {out}.",
                  markup=False)  # fmt: skip


def _explain(out: Path, student: str) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    from ift_course.grading import gradebook
    from ift_course.grading.reports import pages

    book = gradebook.load(out)
    Console().print(Markdown(pages.feedback_markdown(book, book.find(student))))


def _compare(out: Path, settings: dict) -> None:
    from ift_course.grading.plan import Plan
    from ift_course.grading.similarity import compare

    plan = Plan(settings["lesson"])
    path = compare(Path(settings["submissions"]), plan.lesson, plan.functions, out)
    print(f"How alike the submissions are: {path}")


def doctor_grading() -> None:
    """What of the isolation of student code holds on this machine, for `ift doctor --grading`."""
    from rich.console import Console
    from rich.table import Table

    from ift_course.grading.grade import PROTECTS_FILES, held
    from ift_course.grading.protection import PROTECTIONS

    rungs = set(held())
    console = Console(highlight=False)
    table = Table("student code cannot", "because of", "", box=None, pad_edge=False)
    for what, by in PROTECTIONS:
        holding = [x for x in by if x in rungs]
        sign = "[green]holds[/green]" if holding else "[red]does not hold[/red]"
        table.add_row(what, ", ".join(holding or by), sign)
    console.print(table)
    if not rungs & PROTECTS_FILES:
        console.print("Hidden checks are refused here; install bubblewrap or use Linux 5.13.")
