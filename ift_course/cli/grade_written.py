"""`ift grade --written` and `ift grade --marks`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from ift_course.grading.roster import Person
    from ift_course.grading.submissions.layouts import LayoutHints
    from ift_course.grading.written.agreement import Agreement
    from ift_course.grading.written.decide import Decision
    from ift_course.grading.written.marks import MarksFile
    from ift_course.grading.written.sheet import AnswerSheet

MOST_LINES = 8
THIRD_LOOK = "third_look.csv"


def lay_out(
    submissions: Path | None,
    out: Path,
    lesson: str | None,
    hints: LayoutHints,
    people: list[Person],
    markers: Sequence[str],
    named: bool,
) -> None:
    """Collects the written answers of a class, and writes pages and files for the markers.

    Args:
        submissions: The folder or archive.
        out: The folder of the gradebook.
        lesson: The lesson's number; None if the answer cells say which.
        hints: How the submissions are stored.
        people: Of the roster.
        markers: The names of the people who mark.
        named: Whether they see the students' names.

    Raises:
        CourseError: There is nothing to collect, or the layout is in doubt.
    """
    from ift_course.errors import CourseError
    from ift_course.grading.written import collect, marks, pages
    from ift_course.grading.written import sheet as sheets

    if submissions is None:
        raise CourseError("Name what to collect: ift grade --written submissions.zip.")
    files = [marks.file_of(out, marker) for marker in markers]
    before = sheets.load(out)
    answers = collect.collect(submissions, lesson, hints, skip=out)
    if before and before.lesson != answers.lesson:
        raise CourseError(
            f"{out} has the answers of lesson {before.lesson}; choose another --out for lesson "
            f"{answers.lesson}."
        )
    sheet = sheets.make(answers, before, named)
    sheets.save(sheet, out)
    written = pages.write(sheet, out)
    counts = {path: marks.write(path, sheet) for path in files}
    console = _console()
    console.print(answers.layout, markup=False)
    _print_answers(console, sheet)
    unused = [x for x in answers.uses if x.reason]
    lines = [f"{x.file} was not used. {x.reason}" for x in unused]
    _print_some(console, lines, "files were not used")
    _print_some(console, sheets.look_at(sheet, people), "answers need a look", style="yellow")
    console.print("For the markers: " + ", ".join(str(x) for x in written), markup=False)
    for path, count in counts.items():
        has = f" (has {count} points already, which stay)" if count else ""
        console.print(f"  to fill in: {path}{has}", markup=False)
    console.print(f"Then: ift grade --out {out} " + " ".join(f"--marks {x}" for x in files),
                  markup=False)  # fmt: skip


def _print_answers(console: Console, sheet: AnswerSheet) -> None:
    for question in sheet.questions:
        blank = [x for x in sheet.blank if x.question == question.id]
        empty = [x.student for x in blank if x.has_cell]
        missing = [f"{x.student} ({x.source})" for x in blank if not x.has_cell]
        console.print(
            f"{question.id} {question.title}: {len(sheet.of(question.id))} answers, {len(empty)} "
            f"empty, {len(missing)} without an answer cell.",
            markup=False,
        )
        if empty:
            console.print(f"  empty: {', '.join(empty)}", markup=False)
        if missing:
            console.print(f"  look at: {', '.join(missing)}", style="yellow", markup=False)


def take_in(out: Path, paths: Sequence[Path]) -> None:
    """Reads the markers' files, reports how far they agree, and enters what they agree on.

    Args:
        out: The folder of the gradebook.
        paths: The files.

    Raises:
        CourseError: Nothing was collected, or a file has a mistake. Nothing is entered then.
    """
    from ift_course.errors import CourseError
    from ift_course.grading.written import agreement, decide, marks
    from ift_course.grading.written import sheet as sheets
    from ift_course.grading.written.entries import WRITTEN

    sheet = sheets.load(out)
    if sheet is None:
        raise CourseError(
            f"No written answers are in {out}; run ift grade --written submissions.zip --out {out} "
            "first."
        )
    files = [marks.read(path, sheet) for path in paths]
    names = [x.marker for x in files]
    if twice := [x for x in names if names.count(x) > 1]:
        raise CourseError(f"Two files are of the marker {twice[0]}; rename or leave out one.")
    decision = decide.decide(sheet, files)
    decide.write(decision, out)
    console = _console()
    for file in files:
        _print_file(console, file)
    _print_agreements(console, agreement.agreements(files, sheet))
    third = out / WRITTEN / THIRD_LOOK
    if decision.open:
        marks.write(third, sheet, given=agreement.too_far_apart(files, sheet))
    _print_decision(console, decision, third)
    _enter(console, out)


def _print_file(console: Console, file: MarksFile) -> None:
    answers = len({code for code, _ in file.marks})
    console.print(
        f"{file.marker} has marked {answers} of {answers + len(file.unmarked)} answers.",
        markup=False,
    )
    if file.unmarked and not file.third_look:
        rest = ", ".join(file.unmarked[:MOST_LINES])
        console.print(f"  without any points: {rest}", style="yellow", markup=False)
    if file.past:
        console.print(f"  not used, because the answers were handed in again: {file.past} rows",
                      style="yellow")  # fmt: skip


def _print_agreements(console: Console, agreements: list[Agreement]) -> None:
    from rich.table import Table

    if not agreements:
        console.print("No answer was marked by two people, so there is no agreement to report.")
        return
    console.print("Agreement beyond chance (Cohen's κ with quadratic weights; 1 is perfect):")
    table = Table("points for", "markers", "n", "κ", "95 % interval", "same", "difference",
                  box=None, pad_edge=False)  # fmt: skip
    for x in agreements:
        kappa = f"{x.kappa:.2f}" if x.kappa is not None else "undefined"
        interval = f"{x.interval[0]:.2f} to {x.interval[1]:.2f}" if x.interval else "–"
        table.add_row(f"{x.question} {x.what}", "/".join(x.markers), str(x.answers), kappa,
                      interval, f"{x.same:.0%}", f"{x.apart:+.2f}")  # fmt: skip
    for number, column in enumerate(table.columns):
        column.no_wrap = number > 1
        column.overflow = "fold"
    console.print(table)


def _print_decision(console: Console, decision: Decision, third: Path) -> None:
    if decision.open:
        codes = len({code for code, _ in decision.open})
        console.print(
            f"Answers with points more than one apart, for a third look: {codes}. Fill in {third}, "
            f"and add --marks {third} to this command.",
            style="yellow",
            markup=False,
        )
        lines = [f"{code} {name}: {given}" for (code, name), given in decision.open.items()]
        _print_some(console, lines, "criteria")
    if decision.unmarked:
        console.print(f"Answers that nobody has marked: {len(decision.unmarked)}.", style="yellow")


def _enter(console: Console, out: Path) -> None:
    """Writes the reports of the gradebook again, if there is one."""
    from ift_course.grading import gradebook, reports
    from ift_course.grading.results import read
    from ift_course.grading.written import entries

    results = read(out / gradebook.RESULTS)
    points = entries.load(out)
    if results.plan is None:
        console.print(
            f"The points are in {out / entries.WRITTEN / entries.POINTS}; ift grade submissions.zip"
            f" --lesson {points['lesson'] if points else '03'} --out {out} puts them beside those"
            " of the checks.",
            markup=False,
        )
        return
    book = gradebook.load(out)
    reports.write(book, out)
    console.print(f"The points are in {out / 'gradebook.csv'} and in each student's feedback.",
                  markup=False)  # fmt: skip
    strangers = entries.unknown(results, points) if points else []
    if strangers:
        console.print(
            f"Not in the gradebook, because the checks were not run on their work: "
            f"{', '.join(strangers)}; run ift grade with the same submissions.",
            style="yellow",
            markup=False,
        )


def _print_some(console: Console, lines: list[str], what: str, style: str = "dim") -> None:
    for line in lines[:MOST_LINES]:
        console.print(f"  {line}", style=style, markup=False)
    if len(lines) > MOST_LINES:
        console.print(f"  and {len(lines) - MOST_LINES} more {what}.", style=style)


def _console() -> Console:
    from rich.console import Console

    return Console(soft_wrap=True, highlight=False)
