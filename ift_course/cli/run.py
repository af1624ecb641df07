"""`ift run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ift_course.cli.options import ProfileOption

if TYPE_CHECKING:
    from ift_course.authoring.run_lessons import Outcome
    from ift_course.profile import Profile


def run(
    lessons: Annotated[
        list[str] | None,
        typer.Argument(metavar="LESSON", help="Lessons, as 1 or 01; all without it."),
    ] = None,
    profile: ProfileOption = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Lessons side by side; without it, as many as the cores and memory allow."
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="First compute the lessons' whole grids of experiments.")
    ] = False,
    seeds: Annotated[
        int, typer.Option(min=3, help="With --full: seeds for each experiment of a grid.")
    ] = 3,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=10**6, help="The first seed of every experiment; 0 without it."),
    ] = None,
) -> None:
    """Execute lessons, and report whether their claims hold.

    Writes the measured times and claims, the executed notebooks and a report for the browser to
    [bold]scratch/PROFILE/[/bold]. Exits with 1 if a cell fails, if a claim does not hold, or if a
    claim in docs/claims.md was not measured.

    Some lessons show a part of a grid of experiments that takes too long for a lesson.
    [bold]--full[/bold] computes all of it (about ten minutes for lesson 03 on two cores) and keeps
    each result as soon as it is there: stop it at any time, and run it again to continue.

    [bold]--seed N[/bold] repeats all experiments with the seeds N, N+1, … and writes the results to
    [bold]scratch/PROFILE/seeds/N/[/bold]. Do the claims still hold? Add
    [bold]--full[/bold] for the claims that lessons take from a stored grid.

    [bold]--profile gemma[/bold] executes no notebooks. It measures on a real base model what the
    lessons show of it, one run after the other, and stores each as soon as it is there. What was
    stopped continues with the same command.

    [bold]Examples[/bold]

        ift run              every lesson

        ift run 01 03        two of them

        ift run 01 --profile smollm2

        ift run 01 --profile gemma     what lesson 01 shows of a real base model

        ift run 03 --full --seeds 5

        ift run --seed 10    every lesson, with other seeds
    """
    from ift_course.cli.real import is_real, run_real
    from ift_course.errors import CourseError
    from ift_course.settings import override_first_seed

    with override_first_seed(seed):
        if is_real(profile):
            if full or jobs:
                raise CourseError(
                    "--full and --jobs are for notebooks; on this profile one run is made after "
                    "the other, so leave them out."
                )
            run_real(lessons or [])
            return
        problems = _run(lessons or [], profile, jobs, full=full, seeds=seeds, seed=seed)
    if problems:
        raise typer.Exit(1)


def _run(
    names: list[str],
    profile_name: str | None,
    jobs: int | None,
    *,
    full: bool,
    seeds: int,
    seed: int | None,
) -> list[str]:
    """Execute the lessons, print a summary, and return the problems."""
    from rich.console import Console

    from ift_course.authoring import report
    from ift_course.authoring.run_lessons import run as run_lessons
    from ift_course.cli.run_display import LessonProgress, beside_published, summary
    from ift_course.hardware import lessons_at_once
    from ift_course.lessons.discover import select
    from ift_course.profile import get_profile

    profile, lessons = get_profile(profile_name), select(names)
    if full:
        _compute_grids(
            [x.number for x in lessons], profile, jobs, seeds=seeds, all_named=bool(names)
        )
    with LessonProgress(profile) as progress:
        outcomes = run_lessons(
            lessons,
            profile,
            jobs=min(jobs or lessons_at_once(profile), len(lessons)),
            progress=progress,
        )
    console = Console(soft_wrap=True)
    console.print(summary(outcomes))
    if comparison := beside_published(outcomes, profile.name):
        console.print(comparison)
    problems = [line for outcome in outcomes for line in outcome.problems]
    if profile.name == "tiny":
        problems += [line for outcome in outcomes for line in _missing_claims(outcome, seed)]
    for problem in problems:
        Console(stderr=True, soft_wrap=True).print(problem, style="red", markup=False)
    print(f"Report: {report.write(profile)}")
    return problems


def _compute_grids(
    numbers: list[str], profile: Profile, jobs: int | None, *, seeds: int, all_named: bool
) -> None:
    """Compute the whole grids of those lessons that have one.

    Args:
        numbers: The lessons' numbers.
        seeds: How many seeds each experiment of a grid gets.
        all_named: The user named the lessons, so one without a grid is an error.
    """
    from ift_course.claims.grids import LESSONS, full
    from ift_course.claims.progress import grid_progress

    first = profile.seeds[0]
    for number in [x for x in numbers if all_named or x in LESSONS]:
        with grid_progress(number) as on_progress:
            full(number, seeds=range(first, first + seeds), profile=profile.name, jobs=jobs,
                 on_progress=on_progress)  # fmt: skip


def _missing_claims(outcome: Outcome, seed: int | None) -> list[str]:
    """A sentence for each claim in docs/claims.md that this complete run did not measure."""
    from ift_course.authoring.generated_docs import published_claim_ids

    if outcome.error:
        return []
    number = outcome.lesson.number
    measured = {claim.id for claim in outcome.claims}
    missing = [id for id in published_claim_ids(number) if id not in measured]
    if missing and not _grid_is_stored(number):
        return [
            f"Lesson {number} did not measure the claim {id}, because not all runs of its grid are "
            f"stored for this base model: run `ift run {number} --full`."
            for id in missing
        ]
    if seed is not None:
        return [
            f"Lesson {number} did not measure the claim {id} with these seeds, because it takes it "
            f"from its grid: run `ift run {number} --full --seed {seed} --seeds N`, with as many "
            "seeds as docs/claims.md shows for it."
            for id in missing
        ]
    return [
        f"Lesson {number} no longer measures the claim {id}, which docs/claims.md states; if this "
        f"is intended, run: ift build {number}"
        for id in missing
    ]


def _grid_is_stored(number: str) -> bool:
    """Whether every run of the lesson's grid is stored for today's base; True without a grid."""
    from ift_course.claims.grids import LESSONS, n_missing

    return number not in LESSONS or not n_missing(number, profile="tiny")
