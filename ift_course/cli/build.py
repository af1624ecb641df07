"""`ift build`."""

from __future__ import annotations

from typing import Annotated

import typer

from ift_course.cli.options import ProfileOption


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
    profile: ProfileOption = None,
) -> None:
    """Write the notebooks from their sources, executed, with outputs.

    The source of a lesson is [bold]notebooks/NN_topic.py[/bold]. This command executes it on the
    profile tiny, as ift run does, and writes [bold]notebooks/NN_topic.ipynb[/bold] beside it when
    every cell ran and every claim holds. From [bold]solutions/NN_topic.py[/bold], if there is one,
    it makes the notebooks in exercises/ and solutions/, without executing them. Finally it writes
    the results into docs/claims.md and the README, and the terms into docs/glossary.md.

    With [bold]--profile gemma[/bold] it writes [bold]results/gemma/NN.json[/bold] instead: what the
    notebooks show of a real base model. Runs that ift run has finished are used.

    [bold]Examples[/bold]

        ift build 01         after editing lesson 01

        ift build --check    do all notebooks match their sources?

        ift build --exercises

        ift build --docs

        ift build 01 --profile gemma
    """
    from rich.console import Console

    from ift_course import settings
    from ift_course.cli.real import build_real, is_real
    from ift_course.errors import CourseError
    from ift_course.paths import checkout, evidence_root

    if checkout() is None:
        raise CourseError("Notebooks are built in a clone of the course, and this is not one.")
    if settings.first_seed() is not None:
        raise CourseError("Notebooks are built with the published seeds; unset IFT_SEED.")
    real = profile is not None and is_real(profile)
    if profile not in (None, "tiny") and not real:
        raise CourseError("Lessons are built on the profiles tiny and gemma; choose one of them.")
    if real and (exercises or docs):
        raise CourseError("--exercises and --docs have no profile; leave out --profile.")
    if real:
        problems = build_real(lessons or [], check=check)
    else:
        # The results of a build become the evidence; every other run writes to another folder.
        settings.set_default_results_folder(evidence_root())
        problems = _build(lessons or [], check=check, exercises=exercises, docs=docs)
    for problem in problems:
        Console(stderr=True, soft_wrap=True).print(problem, style="red", markup=False)
    if problems:
        raise typer.Exit(1)


def _build(names: list[str], *, check: bool, exercises: bool, docs: bool) -> list[str]:
    """Build or check exercises, lessons and pages, or a part of them; return the problems."""
    problems = []
    if not docs:
        problems += _build_exercises(names, check=check)
    if not docs and not exercises:
        problems += _build_lessons(names, check=check)
    if not exercises:
        problems += _build_docs(check=check)
    return problems


def _build_exercises(names: list[str], *, check: bool) -> list[str]:
    """Build or check the exercises of these lessons, or of all; return the problems."""
    from ift_course.errors import CourseError
    from ift_course.exercises import generate, source

    problems = []
    root = source.folder().parent
    for path in source.sources():
        if names and not {path.name[:2], path.stem} & {name.zfill(2) for name in names}:
            continue
        if check:
            problems += [
                f"{reason}; run: ift build --exercises" for reason in generate.differs(path, root)
            ]
            continue
        try:
            for notebook in generate.build(path, root):
                print(notebook)
        except CourseError as error:
            problems.append(str(error))
    return problems


def _build_docs(*, check: bool) -> list[str]:
    """Write or check the generated pages; return the problems."""
    from ift_course.authoring import generated_docs

    if check:
        return [
            f"{path} is out of date; run: ift build --docs" for path in generated_docs.outdated()
        ]
    for path in generated_docs.write():
        print(path)
    return []


def _build_lessons(names: list[str], *, check: bool) -> list[str]:
    """Execute and publish these lessons, or check them; return the problems."""
    from ift_course.authoring import build as notebooks
    from ift_course.authoring import report
    from ift_course.authoring.run_lessons import run as run_lessons
    from ift_course.cli.run_display import LessonProgress
    from ift_course.hardware import usable_cores
    from ift_course.lessons.discover import select
    from ift_course.profile import get_profile

    lessons = select(names)
    if check:
        return [
            f"{reason}; run: ift build {lesson.number}"
            for lesson in lessons
            if (reason := notebooks.difference(lesson))
        ]
    profile = get_profile("tiny")
    with LessonProgress(profile) as progress:
        jobs = min(usable_cores(), len(lessons))
        outcomes = run_lessons(lessons, profile, jobs=jobs, progress=progress)
    report.write(profile)
    problems = []
    for outcome in outcomes:
        problems += outcome.problems
        if not outcome.problems:
            notebooks.publish(outcome.lesson)
            print(notebooks.notebook_path(outcome.lesson))
    return problems
