"""`ift grade` and `ift regrade`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from ift_course.grading.grade import Progress
    from ift_course.grading.settings import LateSettings, Settings

OUT = Path("gradebook")


# The names in `grading.submissions.layouts.KINDS`, whose import would slow down `ift --help`.
LayoutKind = Literal[
    "auto", "folder", "flat", "canvas", "moodle", "gradescope", "blackboard", "nbgrader"
]
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
        LayoutKind, typer.Option(help="How the submissions are stored; recognized by default.")
    ] = "auto",
    student_level: Annotated[
        int, typer.Option(min=0, help="How many folders deep the students' folders or files lie.")
    ] = 0,
    yes: YesOption = False,
    hidden: Annotated[Path | None, typer.Option(help="A folder of your own checks.")] = None,
    jobs: Annotated[
        int, typer.Option(min=1, help="The most submissions that are graded at a time.")
    ] = 2,
    seed: Annotated[
        str | None,
        typer.Option(help="Varies the inputs; random by default, and kept with OUT."),
    ] = None,
    due: Annotated[datetime | None, typer.Option(help="In UTC; late work loses points.")] = None,
    late_percent: Annotated[
        float, typer.Option(min=0, max=100, help="Lost for each begun day, in %.")
    ] = 10,
    late_most: Annotated[
        float, typer.Option(min=0, max=100, help="The most that lateness costs, in %.")
    ] = 100,
    grace_minutes: Annotated[
        float, typer.Option(min=0, max=100_000, help="After the due time; not counted as late.")
    ] = 0,
    timeout: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds for a check.")] = 10,
    cell_timeout: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds for a cell.")
    ] = 20,
    memory: Annotated[int, typer.Option(min=64, help="MB for a student's code.")] = 2048,
    allow_exposed_checks: Annotated[
        bool,
        typer.Option(
            "--allow-exposed-checks", help="Run hidden checks where student code could read them."
        ),
    ] = False,
    similarity: Annotated[bool, typer.Option(help="Compare the submissions (copydetect).")] = False,
    capstone: Annotated[
        bool, typer.Option("--capstone", help="Grade zips of `ift submit` on a hidden exam.")
    ] = False,
    questions: Annotated[int, typer.Option(help="Of the exam of --capstone.")] = 200,
    explain: Annotated[
        str | None, typer.Option(metavar="STUDENT", help="Show one student's feedback.")
    ] = None,
    written: Annotated[
        bool, typer.Option("--written", help="Lay out the answers to open questions for people.")
    ] = False,
    markers: Annotated[
        str, typer.Option(help="With --written: who marks, as anna,ben; a file for each.")
    ] = "marker-1",
    named: Annotated[
        bool, typer.Option("--named", help="With --written: show names; codes by default.")
    ] = False,
    marks: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A marker's filled-in file; once for each marker."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Grade a class: run the checks of a lesson on everything that was handed in.

    Student code runs in a sandbox, in a process that holds no check; `ift doctor --grading` says
    what the sandbox prevents on this machine. Stop the command at any moment and run it again:
    nothing is graded twice. All files in the gradebook's folder are made from its results.jsonl.

    [bold]--written[/bold] runs nothing: it lays out the answers to open questions beside their
    rubric, without names, with a file for each marker. [bold]--marks[/bold] reads the filled-in
    files, says how far the markers agree, and puts their points beside those of the checks.

    With --capstone, SUBMISSIONS is a folder of zips that `ift submit` made. Each adapter answers
    the same hidden exam in a process of its own, and OUT gets a leaderboard in which what cannot be
    told apart shares a place.

    The layout of the submissions says whose work is whose. Where that is in doubt, nothing is
    graded and one sentence asks: answer with --student-level, --layout or --yes.

    [bold]Examples[/bold]

        ift grade submissions.zip --lesson 02 --roster roster.csv

        ift grade submissions/ --lesson 02 --hidden ~/hidden --due 2026-10-01T22:00:00

        ift grade --explain jane

        ift grade --written submissions.zip --markers anna,ben

        ift grade --marks gradebook/written/marks-anna.csv --marks gradebook/written/marks-ben.csv

        ift grade --capstone zips/ --out capstones
    """
    if explain is not None:
        return _explain(out, explain)
    if written or marks:
        from ift_course.cli import grade_written
        from ift_course.grading.settings import hints_for, people_of

        if written:
            people = people_of(out, roster)
            hints = hints_for(people, layout, student_level, yes)
            names = list(dict.fromkeys(x.strip() for x in markers.split(",") if x.strip()))
            grade_written.lay_out(submissions, out, lesson, hints, people, names, named)
        return grade_written.take_in(out, marks) if marks else None
    from ift_course.errors import CourseError

    if capstone:
        from ift_course.cli.grade_capstone import grade_capstone

        if submissions is None:
            raise CourseError("Name the folder with the zips: ift grade --capstone zips/.")
        return grade_capstone(submissions, out, seed, questions, jobs, as_json)
    from ift_course.grading.plan import GradingPlan
    from ift_course.grading.settings import choose_seed, write_settings

    if submissions is None or lesson is None:
        raise CourseError(
            "Name what to grade and for which lesson: ift grade submissions.zip --lesson 02."
        )
    if not submissions.exists():
        raise CourseError(
            f"There is nothing at {submissions}; name the folder or zip of submissions."
        )
    _ = GradingPlan(lesson, hidden).checks  # a fault in them is reported before anything is written
    settings: Settings = {
        "submissions": str(submissions.resolve()), "lesson": lesson, "seed": choose_seed(out, seed),
        "hidden": str(hidden.resolve()) if hidden else "", "jobs": jobs, "memory": memory,
        "timeout": timeout, "cell_timeout": cell_timeout, "insist": allow_exposed_checks,
        "layout": layout, "student_level": student_level, "yes": yes,
    }  # fmt: skip
    late: LateSettings | None = {
        "due": due.isoformat() + "Z", "percent_per_day": late_percent,
        "grace_minutes": grace_minutes, "percent_at_most": late_most,
    } if due else None  # fmt: skip
    write_settings(out, settings, roster, late)
    _run(out, settings, show_moves=False, as_json=as_json)
    if similarity:
        _compare(out, settings)


def regrade(
    out: Annotated[Path, typer.Argument(metavar="GRADEBOOK", help="The gradebook's folder.")] = OUT,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Grade again what a changed check or a new submission affects, and say whose grade changes.

    Submissions, lesson and limits are those of the last `ift grade` into this folder. Roster, late
    policy and overrides are read again.

    [bold]Example[/bold]

        ift regrade gradebook
    """
    from ift_course.grading.settings import read_settings

    settings = read_settings(out)
    if yes:
        settings["yes"] = True
    _run(out, settings, show_moves=True, as_json=as_json)


def _run(out: Path, settings: Settings, show_moves: bool, as_json: bool) -> None:
    """Grades, writes the reports, and prints what happened.

    Args:
        out: The folder of the gradebook.
        settings: Of the gradebook.
        show_moves: Whether to print whose verdicts changed.
        as_json: Whether to print one JSON object instead.
    """
    from rich.console import Console

    from ift_course.grading import gradebook, reports
    from ift_course.grading.grade import grade_class
    from ift_course.grading.reports import console as output
    from ift_course.grading.settings import grading_config, layout_hints

    graded: list[Progress] = []
    with output.ProgressBar() as bar:

        def on_done(progress: Progress) -> None:
            bar.step(progress)
            graded.append(progress)

        grade_class(
            Path(settings["submissions"]),
            out,
            grading_config(settings),
            jobs=settings["jobs"],
            allow_exposed_checks=settings["insist"],
            hints=layout_hints(out, settings),
            on_done=on_done,
        )
    book = gradebook.load(out)
    reports.write(book, out)
    if as_json:
        output.print_json(book, out, graded)
        return
    console = Console(soft_wrap=True, highlight=False)
    if show_moves:
        output.print_moves(console, graded)
    output.print_summary(console, book, out, graded=len(graded))


def _explain(out: Path, student: str) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    from ift_course.grading import gradebook
    from ift_course.grading.reports import pages

    book = gradebook.load(out)
    Console().print(Markdown(pages.feedback_markdown(book, book.find(student))))


def _compare(out: Path, settings: Settings) -> None:
    from ift_course.grading.plan import GradingPlan
    from ift_course.grading.settings import layout_hints
    from ift_course.grading.similarity import compare

    plan = GradingPlan(settings["lesson"])
    root = Path(settings["submissions"])
    path = compare(root, plan.lesson, plan.functions, out, layout_hints(out, settings))
    print(f"How alike the submissions are: {path}")


def doctor_grading() -> None:
    """Says what the sandbox prevents on this machine, for `ift doctor --grading`."""
    from ift_course.grading.grade import active_layers
    from ift_course.grading.reports.console import print_protections

    print_protections(active_layers())
