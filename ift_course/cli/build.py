"""`ift build`."""

from typing import Annotated

import typer


def build(
    lessons: Annotated[
        list[str] | None,
        typer.Argument(metavar="LESSON", help="Lessons, as 1 or 01; all without it."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Execute and write nothing; exit 1 if they differ.")
    ] = False,
) -> None:
    """Write the notebooks from their sources, executed, with outputs.

    A lesson is written as [bold]notebooks/NN_topic.py[/bold]. This executes it on the profile tiny,
    as ift run does, and writes [bold]notebooks/NN_topic.ipynb[/bold] beside it when every cell ran
    and every claim holds.

    [bold]Examples[/bold]

        ift build 01         after editing lesson 01

        ift build --check    do all notebooks belong to their sources?
    """
    from rich.console import Console

    from ift_course.cli.progress import LessonProgress
    from ift_course.errors import CourseError
    from ift_course.hardware import usable_cores
    from ift_course.lessons import build as building
    from ift_course.lessons import report
    from ift_course.lessons.discover import select
    from ift_course.lessons.run import run as run_lessons
    from ift_course.paths import checkout
    from ift_course.profile import get_profile

    if checkout() is None:
        raise CourseError("Notebooks are built in a clone of the course, and this is not one.")
    wanted = select(lessons or [])
    problems = []
    if check:
        problems = [
            f"{why}; run: ift build {x.number}" for x in wanted if (why := building.differs(x))
        ]
    else:
        profile = get_profile("tiny")
        with LessonProgress(profile) as progress:
            jobs = min(usable_cores(), len(wanted))
            outcomes = run_lessons(wanted, profile, jobs=jobs, progress=progress)
        report.write(profile)
        for outcome in outcomes:
            problems += outcome.problems
            if not outcome.problems:
                building.publish(outcome.lesson)
                print(building.notebook_path(outcome.lesson))
    for problem in problems:
        Console(stderr=True, soft_wrap=True).print(problem, style="red", markup=False)
    if problems:
        raise typer.Exit(1)
