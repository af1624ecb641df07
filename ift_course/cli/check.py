"""`ift check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from ift_course.exercises.check_notebook import Result


def check(
    notebooks: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="NOTEBOOK", help="Exercise notebooks; all those in exercises/ if omitted."
        ),
    ] = None,
    limit: Annotated[
        float,
        typer.Option(min=0.1, max=3600, help="Seconds per cell, and per exercise for its checks."),
    ] = 20.0,
) -> None:
    """Check exercise notebooks without opening them.

    Every notebook runs in a process of its own. A cell that is broken or never ends is reported,
    and the other exercises are still checked. The exit code is 1 unless everything is solved.

    [bold]Example[/bold]

        ift check exercises/02_*.ipynb
    """
    from rich.console import Console

    from ift_course.errors import CourseError
    from ift_course.exercises.check_notebook import check_notebook
    from ift_course.paths import project_root

    if not notebooks:
        notebooks = sorted((project_root() / "exercises").glob("[0-9][0-9]_*.ipynb"))
    if not notebooks:
        raise CourseError("There are no exercise notebooks here; `ift update` creates them.")
    console = Console(soft_wrap=True, highlight=False)
    solved = True
    for path in notebooks:
        console.print(f"\n{path}", style="bold", markup=False)
        try:
            results = check_notebook(path, limit)
        except CourseError as error:
            console.print(f"  ✗ {error}", style="red", markup=False)
            solved = False
            continue
        for result in results:
            solved &= bool(result.report and result.report.passed)
            _print_result(console, result)
    if not solved:
        raise typer.Exit(1)


def _print_result(console: Console, result: Result) -> None:
    """Print one exercise; record its points if its checks ran."""
    from ift_course.exercises import progress
    from ift_course.exercises.notebook_api import full_title
    from ift_course.exercises.report_card import SIGNS, explanation

    name, report = full_title(result.exercise), result.report
    if result.problem or report is None:
        console.print(f"  ✗ {name}: {result.problem}", style="red", markup=False)
        return
    progress.record_report(report)
    if report.passed or not report.begun:
        sign, status = ("✓", "solved") if report.passed else ("○", "not yet")
        console.print(f"  {sign} {name}: {status}, {report.earned} of {report.points} points")
        return
    console.print(f"  ✗ {name}: {report.earned} of {report.points} points", style="yellow")
    for verdict in report.verdicts:
        console.print(f"      {SIGNS[verdict.status]} {verdict.title}", markup=False)
    failed = next(x for x in report.verdicts if not x.passed)
    for line in explanation(failed):
        console.print(f"          {line}", style="dim", markup=False)
    if report.advice:
        console.print(f"      This looks familiar. {report.advice}", markup=False)
