"""`ift build`."""

import os
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
    exercises: Annotated[
        bool, typer.Option("--exercises", help="Only the exercise and solution notebooks.")
    ] = False,
    docs: Annotated[
        bool, typer.Option("--docs", help="Only the generated pages of docs/ and the README.")
    ] = False,
) -> None:
    """Write the notebooks from their sources, executed, with outputs.

    A lesson is written as [bold]notebooks/NN_topic.py[/bold]. This executes it on the profile tiny,
    as ift run does, and writes [bold]notebooks/NN_topic.ipynb[/bold] beside it when every cell ran
    and every claim holds. Of [bold]solutions/NN_topic.py[/bold], if there is one, it makes the
    notebooks in exercises/ and solutions/, without executing them. In the end it writes what was
    measured into docs/claims.md and the README, and the terms into docs/glossary.md.

    [bold]Examples[/bold]

        ift build 01         after editing lesson 01

        ift build --check    do all notebooks belong to their sources?

        ift build --exercises

        ift build --docs
    """
    from rich.console import Console

    from ift_course.errors import CourseError
    from ift_course.paths import checkout, evidence_root

    if checkout() is None:
        raise CourseError("Notebooks are built in a clone of the course, and this is not one.")
    if os.environ.get("IFT_SEED"):
        raise CourseError("Notebooks are built with the published seeds; unset IFT_SEED.")
    # What is built becomes the evidence; every other run writes beside it.
    os.environ.setdefault("IFT_RESULTS", str(evidence_root()))
    problems = []
    if not docs:
        problems += _exercises(lessons or [], check=check)
    if not docs and not exercises:
        problems += _lessons(lessons or [], check=check)
    if not exercises:
        problems += _pages(check=check)
    for problem in problems:
        Console(stderr=True, soft_wrap=True).print(problem, style="red", markup=False)
    if problems:
        raise typer.Exit(1)


def _exercises(words: list[str], *, check: bool) -> list[str]:
    """Builds or checks the exercises of these lessons, or of all; returns what is wrong."""
    from ift_course.errors import CourseError
    from ift_course.exercises import generate, source

    problems = []
    root = source.folder().parent
    for path in source.sources():
        if words and not {path.name[:2], path.stem} & {word.zfill(2) for word in words}:
            continue
        if check:
            problems += [
                f"{why}; run: ift build --exercises" for why in generate.differs(path, root)
            ]
            continue
        try:
            for made in generate.build(path, root):
                print(made)
        except CourseError as error:
            problems.append(str(error))
    return problems


def _pages(*, check: bool) -> list[str]:
    """Writes or checks the generated pages; returns what is wrong."""
    from ift_course.authoring import generated_docs

    if check:
        return [
            f"{path} is out of date; run: ift build --docs" for path in generated_docs.differing()
        ]
    for path in generated_docs.write():
        print(path)
    return []


def _lessons(words: list[str], *, check: bool) -> list[str]:
    """Executes and publishes these lessons, or checks them; returns what is wrong."""
    from ift_course.authoring import build as building
    from ift_course.authoring import report
    from ift_course.authoring.run_lessons import run as run_lessons
    from ift_course.cli.run_display import LessonProgress
    from ift_course.hardware import usable_cores
    from ift_course.lessons.discover import select
    from ift_course.profile import get_profile

    wanted = select(words)
    if check:
        return [f"{why}; run: ift build {x.number}" for x in wanted if (why := building.differs(x))]
    profile = get_profile("tiny")
    with LessonProgress(profile) as progress:
        jobs = min(usable_cores(), len(wanted))
        outcomes = run_lessons(wanted, profile, jobs=jobs, progress=progress)
    report.write(profile)
    problems = []
    for outcome in outcomes:
        problems += outcome.problems
        if not outcome.problems:
            building.publish(outcome.lesson)
            print(building.notebook_path(outcome.lesson))
    return problems
