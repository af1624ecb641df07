"""`ift run`."""

from typing import Annotated

import typer


def run(
    lessons: Annotated[
        list[str] | None,
        typer.Argument(metavar="LESSON", help="Lessons, as 1 or 01; all without it."),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="tiny, smollm2, t4 or gpu24; else $IFT_PROFILE, else tiny.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Lessons side by side; as many as there are cores without it."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="First compute the lessons' whole grids of experiments.")
    ] = False,
    seeds: Annotated[int, typer.Option(min=3, help="With --full: seeds for each cell.")] = 3,
) -> None:
    """Execute lessons, and say whether their claims hold.

    Writes the measured times and claims, the executed notebooks and a report for the browser to
    [bold]results/PROFILE/[/bold]. Exits with 1 if a cell fails, if a claim does not hold, or if a
    claim that docs/claims.md states was not measured.

    Some lessons show a part of a grid of experiments that is too long for a lesson.
    [bold]--full[/bold] computes all of it (about half an hour for lesson 03 on two cores) and keeps
    each result as it comes: stop it at any time, it goes on from there.

    [bold]Examples[/bold]

        ift run              every lesson

        ift run 01 03        two of them

        ift run 01 --profile smollm2

        ift run 03 --full --seeds 5
    """
    from rich.console import Console

    from ift_course.cli.progress import LessonProgress, grid_progress, summary
    from ift_course.experiments.grids import GRIDS
    from ift_course.experiments.grids import full as compute
    from ift_course.hardware import usable_cores
    from ift_course.lessons import report
    from ift_course.lessons.discover import select
    from ift_course.lessons.run import run as run_lessons
    from ift_course.profile import get_profile

    chosen, wanted = get_profile(profile), select(lessons or [])
    # Without a lesson named, --full is for those that have a grid; else for those named.
    for number in [x.number for x in wanted if lessons or x.number in GRIDS] if full else []:
        with grid_progress(number) as on_progress:
            compute(number, seeds=range(seeds), profile=chosen.name, jobs=jobs,
                    on_progress=on_progress)  # fmt: skip
    with LessonProgress(chosen) as progress:
        outcomes = run_lessons(
            wanted,
            chosen,
            jobs=min(jobs or usable_cores(), len(wanted)),
            progress=progress,
        )
    Console(soft_wrap=True).print(summary(outcomes))
    problems = [line for outcome in outcomes for line in outcome.problems]
    if chosen.name == "tiny":
        problems += [line for outcome in outcomes for line in _unmeasured(outcome)]
    for problem in problems:
        Console(stderr=True, soft_wrap=True).print(problem, style="red", markup=False)
    print(f"Report: {report.write(chosen)}")
    if problems:
        raise typer.Exit(1)


def _unmeasured(outcome) -> list[str]:
    """A sentence for each claim that the course states and this whole run did not measure."""
    from ift_course.lessons.pages import stated

    if outcome.error:
        return []
    measured = {claim["id"] for claim in outcome.claims}
    return [
        f"Lesson {outcome.lesson.number} no longer measures the claim {id}, which docs/claims.md "
        f"states; if that is meant, run: ift build {outcome.lesson.number}"
        for id in stated(outcome.lesson.number)
        if id not in measured
    ]
