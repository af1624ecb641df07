"""`ift check`."""

from pathlib import Path
from typing import Annotated

import typer


def check(
    notebooks: Annotated[
        list[Path] | None,
        typer.Argument(metavar="NOTEBOOK", help="Exercise notebooks; all of exercises/ without."),
    ] = None,
    limit: Annotated[
        float,
        typer.Option(
            min=0.1, max=3600, help="Seconds for one cell, and for one exercise's checks."
        ),
    ] = 20.0,
) -> None:
    """Check exercise notebooks without opening them.

    Every notebook runs in a process of its own. A cell that is broken or never ends is named, and
    the other exercises are still checked. Exits with 1 unless everything is solved.

    [bold]Example[/bold]

        ift check exercises/02_*.ipynb
    """
    from rich.console import Console

    from ift_course.errors import CourseError
    from ift_course.exercises import progress
    from ift_course.exercises.check_notebook import check_notebook
    from ift_course.exercises.notebook_api import titled
    from ift_course.exercises.report_card import SIGNS, explanation
    from ift_course.paths import project_root

    if not notebooks:
        notebooks = sorted((project_root() / "exercises").glob("[0-9][0-9]_*.ipynb"))
    if not notebooks:
        raise CourseError("There are no exercise notebooks here; `ift update` writes them.")
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
            name, report = titled(result.exercise), result.report
            solved &= bool(report and report.passed)
            if result.problem or report is None:
                console.print(f"  ✗ {name}: {result.problem}", style="red", markup=False)
                continue
            progress.note(report)
            if report.passed or not report.begun:
                sign, said = ("✓", "solved") if report.passed else ("○", "not yet")
                console.print(f"  {sign} {name}: {said}, {report.earned} of {report.points} points")
                continue
            console.print(f"  ✗ {name}: {report.earned} of {report.points} points", style="yellow")
            for verdict in report.verdicts:
                console.print(f"      {SIGNS[verdict.status]} {verdict.title}", markup=False)
            failed = next(x for x in report.verdicts if not x.passed)
            for line in explanation(failed):
                console.print(f"          {line}", style="dim", markup=False)
            if report.advice:
                console.print(f"      This looks familiar. {report.advice}", markup=False)
    if not solved:
        raise typer.Exit(1)
