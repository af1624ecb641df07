"""Compute a lesson's real part, one arm and seed after the other."""

from __future__ import annotations

import platform
from collections.abc import Callable
from datetime import datetime, timezone
from importlib import metadata

from ift_course.hardware import machine
from ift_course.panels.identity import current_identity
from ift_course.panels.panel import Identity, Measurement, Panel, Run
from ift_course.panels.real_part import Arm, Job, OnStep, RealPart, ignore
from ift_course.panels.store import RunStore, runs_folder
from ift_course.profile import Profile

LIBRARIES = ("ift-course", "torch", "transformers", "peft", "trl")
# Is called with the runs that are finished, all runs, and the one that is next or None.
OnRun = Callable[[int, int, str | None], None]


def compute(
    part: RealPart,
    profile: Profile,
    *,
    on_run: OnRun | None = None,
    on_step: OnStep = ignore,
    on_outdated: Callable[[int], None] | None = None,
) -> Panel:
    """Measure what is missing, and return the panel of all runs.

    Each finished run is stored at once, so that a computation that was stopped continues with the
    first run that is missing. Runs of other weights, data or settings are made again.

    Args:
        part: What to measure.
        profile: Whose base to measure; its seeds are used.
        on_run: Is called before the first run and after each.
        on_step: Is called within a run.
        on_outdated: Is called with the number of stored runs that cannot be used, if there are any.

    Raises:
        CourseError: The base is not installed, or the disk is full.
    """
    store = RunStore(runs_folder(profile.name, part.lesson), current_identity(part, profile))
    runs: dict[tuple[str, int], Run | None] = {
        (arm.name, seed): store.read(arm.name, seed)
        for arm in part.arms
        for seed in arm.seeds(profile)
    }
    n_outdated = sum(store.is_outdated(*key) for key, run in runs.items() if run is None)
    if n_outdated and on_outdated:
        on_outdated(n_outdated)
    arms = {arm.name: arm for arm in part.arms}
    missing = [key for key, run in runs.items() if run is None]
    for position, (name, seed) in enumerate(missing):
        if on_run:
            on_run(len(runs) - len(missing) + position, len(runs), describe(arms[name], seed))
        run = stamped(arms[name], seed, arms[name].measure(Job(profile, seed, on_step)))
        store.write(run)
        runs[name, seed] = run
    if on_run:
        on_run(len(runs), len(runs), None)
    return assemble(part, profile, store.identity, [run for run in runs.values() if run])


def compute_first_seed(part: RealPart, profile: Profile, *, on_step: OnStep = ignore) -> Panel:
    """Measure every arm with the first seed, and store nothing: what a notebook does live.

    Args:
        part: What to measure.
        profile: Whose base to measure.
        on_step: Is called as the work proceeds.

    Raises:
        CourseError: The base is not installed.
    """
    identity, seed = current_identity(part, profile), profile.seeds[0]
    runs = [stamped(x, seed, x.measure(Job(profile, seed, on_step))) for x in part.arms]
    return assemble(part, profile, identity, runs)


def assemble(part: RealPart, profile: Profile, identity: Identity, runs: list[Run]) -> Panel:
    """Return the panel of some runs."""
    return Panel(
        lesson=part.lesson,
        profile=profile.name,
        model=model_name(profile),
        title=part.title,
        identity=identity,
        metrics=dict(part.metrics),
        contrasts=list(part.contrasts),
        versions=versions(),
        runs=runs,
    )


def describe(arm: Arm, seed: int) -> str:
    """Name a run in a progress bar."""
    return arm.name if arm.n_seeds == 1 else f"{arm.name}, seed {seed}"


def stamped(arm: Arm, seed: int, measurement: Measurement) -> Run:
    """Return a measurement with its arm, its seed, today's date and this machine."""
    import torch

    return Run(
        arm=arm.name,
        seed=seed,
        date=datetime.now(timezone.utc).date().isoformat(),
        machine=machine(),
        threads=torch.get_num_threads(),
        **measurement.model_dump(),
    )


def model_name(profile: Profile) -> str:
    """The name of a profile's base, such as "Gemma 3 270M"."""
    return profile.about.partition(",")[0]


def versions() -> dict[str, str]:
    """The versions of Python and of the libraries that the result depends on."""
    return {"python": platform.python_version()} | {
        name: metadata.version(name) for name in LIBRARIES
    }
