"""`ift grade` and `ift regrade`."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ift_course.grading.grade import Done
    from ift_course.grading.gradebook import Gradebook

OUT = Path("gradebook")
MOST_REASONS = 5  # that are listed on the console
MOST_STUDENTS = 20


class Layout(str, Enum):
    """How the submissions are stored; `ift_course.grading.layouts` has the names."""

    auto = "auto"
    folder = "folder"
    flat = "flat"
    canvas = "canvas"
    moodle = "moodle"
    gradescope = "gradescope"
    blackboard = "blackboard"
    nbgrader = "nbgrader"


YesOption = Annotated[
    bool, typer.Option("--yes", help="Accept how the folder was read, whatever is in doubt.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")]


def grade(
    submissions: Annotated[
        Path | None, typer.Argument(help="A folder or zip of notebooks or .py files.")
    ] = None,
    lesson: Annotated[str | None, typer.Option(help='The lesson\'s number, as "02".')] = None,
    out: Annotated[Path, typer.Option(help="The folder of the gradebook.")] = OUT,
    roster: Annotated[
        Path | None, typer.Option(help="CSV: student,name,email,group ..., or a platform's export.")
    ] = None,
    layout: Annotated[
        Layout, typer.Option(help="How the submissions are stored; found by itself.")
    ] = Layout.auto,
    student_level: Annotated[
        int, typer.Option(min=0, help="How many folders deep the students' folders or files lie.")
    ] = 0,
    yes: YesOption = False,
    hidden: Annotated[Path | None, typer.Option(help="A folder of your own checks.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Most submissions at a time.")] = 2,
    seed: Annotated[
        str | None,
        typer.Option(help="Varies the inputs; drawn at random without it, and kept with OUT."),
    ] = None,
    due: Annotated[datetime | None, typer.Option(help="In UTC; with it, lateness costs.")] = None,
    late_percent: Annotated[
        float, typer.Option(min=0, max=100, help="Lost for each begun day.")
    ] = 10,
    late_most: Annotated[
        float, typer.Option(min=0, max=100, help="The most that lateness costs, in %.")
    ] = 100,
    grace_minutes: Annotated[
        float, typer.Option(min=0, max=100_000, help="After the due time.")
    ] = 0,
    timeout: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds for a check.")] = 10,
    cell_timeout: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds for a cell.")
    ] = 20,
    memory: Annotated[int, typer.Option(min=64, help="MB for a student's code.")] = 2048,
    insist: Annotated[
        bool, typer.Option(help="Run hidden checks where they cannot be kept hidden.")
    ] = False,
    similarity: Annotated[bool, typer.Option(help="Compare the submissions (copydetect).")] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="STUDENT", help="Show one student's feedback.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Grade a class: run the checks of a lesson on everything that was handed in.

    Student code runs shut in, in a process that holds no check; `ift doctor --grading` says what
    holds on this machine. Stop it at any moment and run it again: nothing is graded twice. All
    files in the gradebook's folder are made from its results.jsonl.

    Whose work is whose is read off the layout. Where that is in doubt, nothing is graded and one
    sentence asks: answer with --student-level, --layout or --yes.

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
    seed = _seed(out, seed)
    settings = {"submissions": str(submissions.resolve()), "lesson": lesson, "seed": seed,
                "hidden": str(hidden.resolve()) if hidden else "", "jobs": jobs, "memory": memory,
                "timeout": timeout, "cell_timeout": cell_timeout, "insist": insist,
                "layout": layout.value, "student_level": student_level, "yes": yes}  # fmt: skip
    late = {"due": due.isoformat() + "Z", "percent_per_day": late_percent, "grace_minutes":
            grace_minutes, "percent_at_most": late_most} if due else None  # fmt: skip
    _keep(out, settings, roster, late)
    _run(out, settings, show_moves=False, as_json=as_json)
    if similarity:
        _compare(out, settings)


def regrade(
    out: Annotated[Path, typer.Argument(metavar="GRADEBOOK", help="The gradebook's folder.")] = OUT,
    yes: YesOption = False,
    as_json: JsonOption = False,
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
    _run(out, settings | ({"yes": True} if yes else {}), show_moves=True, as_json=as_json)


def _seed(out: Path, seed: str | None) -> str:
    """The seed that was named, that of the earlier runs into this folder, or a new one.

    A seed that everybody could guess would let a table of answers be recorded at home.
    """
    import json
    import secrets

    if seed is not None:
        return seed
    try:
        return json.loads((out / "settings.json").read_text(encoding="utf-8"))["seed"]
    except (OSError, ValueError, KeyError, TypeError):
        return secrets.token_hex(4)


def _keep(out: Path, settings: dict, roster: Path | None, late: dict | None) -> None:
    """What the gradebook depends on is kept beside it."""
    import json

    from ift_course.disk import atomic_write_text
    from ift_course.grading import gradebook

    if roster:
        gradebook.read_roster(roster)
    out.mkdir(parents=True, exist_ok=True)
    atomic_write_text(out / "settings.json", json.dumps(settings, indent=1) + "\n")
    if late:
        atomic_write_text(out / gradebook.POLICY, json.dumps(late, indent=1) + "\n")
    if roster and roster.resolve() != (out / gradebook.ROSTER).resolve():
        atomic_write_text(out / gradebook.ROSTER, roster.read_text(encoding="utf-8-sig"))


def _reading(out: Path, settings: dict):
    """What the instructor says about the layout, and the names of the roster."""
    from ift_course.grading import gradebook
    from ift_course.grading.layouts import Reading

    roster = out / gradebook.ROSTER
    people = gradebook.read_roster(roster) if roster.is_file() else []
    names = {
        person[key] for person in people for key in (*gradebook.KEYS, "group") if key in person
    }
    return Reading(
        kind=settings.get("layout", "auto"),
        level=settings.get("student_level", 0),
        accept=settings.get("yes", False),
        people=frozenset(gradebook.same(x) for x in names if x),
    )


def _run(out: Path, settings: dict, show_moves: bool, as_json: bool) -> None:
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
            insist=settings["insist"], reading=_reading(out, settings),
            on_done=on_done)  # fmt: skip
    book = gradebook.load(out)
    reports.write(book, out)
    if as_json:
        _print_json(book, out, moved)
        return
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


def _moves(done: Done) -> tuple[float, list[str]]:
    """The points gained, and each check that says something else or is worth something else."""
    changes, gain = [], 0.0
    for check, after in done.after.items():
        before = done.before.get(check) or {"status": "not graded", "points": 0}
        earned = [x["points"] * (x["status"] == "passed") for x in (before, after)]
        gain += earned[1] - earned[0]
        if before["status"] != after["status"]:
            changes.append(f"{check} {before['status']} → {after['status']}")
        elif earned[0] != earned[1]:
            changes.append(f"{check} {earned[0]:g} → {earned[1]:g} points")
    return gain, changes


def _tell_moves(console, moved: list[Done]) -> None:
    """Each check that says something else than before, and what that does to the points."""
    for done in sorted(moved, key=lambda x: x.student):
        gain, changes = _moves(done)
        if changes:
            word = "point" if abs(gain) == 1 else "points"
            console.print(f"{done.name}: {gain:+g} {word} ({'; '.join(changes)})", markup=False)
    if not moved:
        console.print("No check and no submission has changed; nothing was run.")


def _print_json(book: Gradebook, out: Path, moved: list[Done]) -> None:
    import json

    from ift_course.grading import gradebook

    roster = out / gradebook.ROSTER
    students = [
        {"student": x.student, "name": x.name, "status": x.status, "total": x.total,
         "worth": x.worth, "days_late": x.days_late, "file": x.line.get("source", ""),
         "problem": x.line.get("problem", ""), "flags": x.flags}
        for x in book.grades
    ]  # fmt: skip
    moves = {x.student: {"points": _moves(x)[0], "changes": _moves(x)[1]} for x in moved}
    files = [
        {"file": file, "student": student, "reason": reason}
        for account in book.accounts
        for file, student, reason in account["unused"]
    ]
    report = {
        "lesson": book.plan["lesson"], "gradebook": str(out), "graded_now": len(moved),
        "layout": [x["layout"] for x in book.accounts],
        "questions": [y for x in book.accounts for y in x["questions"]],
        "files": sum(x["files"] for x in book.accounts),
        "files_used": sum(len(x["used"]) for x in book.accounts), "files_unused": files,
        "roster_left_out": gradebook.left_out_of_roster(roster) if roster.is_file() else [],
        "moves": moves, "students": students,
    }  # fmt: skip
    print(json.dumps(report, ensure_ascii=False, indent=1))


def _tell_files(console, book: Gradebook, out: Path) -> None:
    """How the submissions were read, and what was handed in and not used."""
    from ift_course.grading.reports.pages import unused

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


def _summarize(console, book, out: Path, graded: int) -> None:
    from collections import Counter
    from statistics import median

    counts = Counter(x.status for x in book.grades)
    states = ", ".join(f"{n} {x}" for x, n in sorted(counts.items()))
    console.print(f"{graded} graded now. The class: {states}.")
    totals = [x.total for x in book.grades if x.line]
    if totals:
        console.print(f"Half of them have {median(totals):g} of {book.worth:g} points or more.")
    _tell_files(console, book, out)
    _tell_roster(console, out)
    doubtful = [x for x in book.grades if x.status == "needs review" or x.flags]
    for x in doubtful[:MOST_STUDENTS]:
        reasons = " ".join([x.line.get("problem", ""), *x.flags]).strip() or f"{out}/feedback"
        console.print(f"Look at {x.name}: {reasons}", style="yellow", markup=False)
    if len(doubtful) > MOST_STUDENTS:
        console.print(f"Look at {len(doubtful) - MOST_STUDENTS} more, in overview.html.")
    console.print(f"{out / 'overview.html'}, gradebook.csv, feedback/ and more are in {out}.",
                  markup=False)  # fmt: skip


def _tell_roster(console, out: Path) -> None:
    from ift_course.grading import gradebook

    roster = out / gradebook.ROSTER
    left_out = gradebook.left_out_of_roster(roster) if roster.is_file() else []
    if left_out:
        names = ", ".join(left_out[:MOST_REASONS])
        console.print(f"Rows of the roster that stand for nobody: {names}.", markup=False)


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
    root = Path(settings["submissions"])
    path = compare(root, plan.lesson, plan.functions, out, _reading(out, settings))
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
