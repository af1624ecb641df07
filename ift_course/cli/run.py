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
        typer.Option(
            min=1, help="Lessons side by side; without it, as many as the cores and memory allow."
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="First compute the lessons' whole grids of experiments.")
    ] = False,
    seeds: Annotated[int, typer.Option(min=3, help="With --full: seeds for each cell.")] = 3,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=10**6, help="The first seed of every experiment; 0 without it."),
    ] = None,
) -> None:
    """Execute lessons, and say whether their claims hold.

    Writes the measured times and claims, the executed notebooks and a report for the browser to
    [bold]scratch/PROFILE/[/bold]. Exits with 1 if a cell fails, if a claim does not hold, or if a
    claim that docs/claims.md states was not measured.

    Some lessons show a part of a grid of experiments that is too long for a lesson.
    [bold]--full[/bold] computes all of it (about half an hour for lesson 03 on two cores) and keeps
    each result as it comes: stop it at any time, it goes on from there.

    [bold]--seed N[/bold] repeats all experiments with the seeds N, N+1, … and keeps what comes out
    in [bold]scratch/PROFILE/seeds/N/[/bold]. Do the claims still hold? What lessons take from a
    stored grid is then computed, so this takes longer.

    [bold]Examples[/bold]

        ift run              every lesson

        ift run 01 03        two of them

        ift run 01 --profile smollm2

        ift run 03 --full --seeds 5

        ift run --seed 10    every lesson, with other seeds
    """
    from ift_course.profile import first_seed

    with first_seed(seed):
        problems = _run(lessons or [], profile, jobs, full=full, per_cell=seeds, seed=seed)
    if problems:
        raise typer.Exit(1)


def _run(
    words: list[str],
    profile: str | None,
    jobs: int | None,
    *,
    full: bool,
    per_cell: int,
    seed: int | None,
) -> list[str]:
    """Executes the lessons and shows what came out; returns what is wrong."""
    from rich.console import Console

    from ift_course.authoring import report
    from ift_course.authoring.run_lessons import run as run_lessons
    from ift_course.cli.progress import LessonProgress, beside_published, summary
    from ift_course.hardware import lessons_at_once
    from ift_course.lessons.discover import select
    from ift_course.profile import get_profile

    chosen, wanted = get_profile(profile), select(words)
    if full:
        _compute([x.number for x in wanted], chosen, jobs, per_cell=per_cell, named=bool(words))
    with LessonProgress(chosen) as progress:
        outcomes = run_lessons(
            wanted,
            chosen,
            jobs=min(jobs or lessons_at_once(chosen), len(wanted)),
            progress=progress,
        )
    console = Console(soft_wrap=True)
    console.print(summary(outcomes))
    if comparison := beside_published(outcomes, chosen.name):
        console.print(comparison)
    problems = [line for outcome in outcomes for line in outcome.problems]
    if chosen.name == "tiny":
        problems += [line for outcome in outcomes for line in _unmeasured(outcome, seed)]
    for problem in problems:
        Console(stderr=True, soft_wrap=True).print(problem, style="red", markup=False)
    print(f"Report: {report.write(chosen)}")
    return problems


def _compute(numbers: list[str], profile, jobs: int | None, *, per_cell: int, named: bool) -> None:
    """Computes the whole grids of the lessons that have one, or of all that were named."""
    from ift_course.claims.grids import LESSONS, full
    from ift_course.claims.progress import grid_progress

    first = profile.seeds[0]
    for number in [x for x in numbers if named or x in LESSONS]:
        with grid_progress(number) as on_progress:
            full(number, seeds=range(first, first + per_cell), profile=profile.name, jobs=jobs,
                 on_progress=on_progress)  # fmt: skip


def _unmeasured(outcome, seed: int | None) -> list[str]:
    """A sentence for each claim that the course states and this whole run did not measure."""
    from ift_course.authoring.generated_docs import stated

    if outcome.error:
        return []
    number = outcome.lesson.number
    measured = {claim.id for claim in outcome.claims}
    missing = [id for id in stated(number) if id not in measured]
    if seed is not None:
        return [
            f"Lesson {number} did not measure the claim {id} with these seeds, because it takes it "
            f"from its grid: run `ift run {number} --full --seed {seed} --seeds N`, with as many "
            "seeds as docs/claims.md shows for it."
            for id in missing
        ]
    return [
        f"Lesson {number} no longer measures the claim {id}, which docs/claims.md states; if that "
        f"is meant, run: ift build {number}"
        for id in missing
    ]
