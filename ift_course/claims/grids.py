"""Computes what is missing of a lesson's grid, several runs at a time, and stores each result."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from types import ModuleType

from ift_course.claims import grid_store
from ift_course.claims.results import Config, Result
from ift_course.errors import CourseError
from ift_course.profile import Profile, get_profile

# Lesson → its class of results. The lesson's `experiment.py` has it, GRID and `run_config`.
LESSONS = {
    "03": "LimaResult",
    "05": "PreferenceResult",
    "06": "MultitaskResult",
    "07": "StudentResult",
    "08": "ForgettingResult",
    "09": "CurationResult",
    "11": "ReinforcementResult",
}
SEEDS = (0, 1, 2)

Job = tuple[Config, int]  # a configuration and a seed
OnProgress = Callable[[int, int, Result | None], None]


def full(
    lesson: str,
    *,
    seeds: Sequence[int] = SEEDS,
    profile: str | None = None,
    jobs: int | None = None,
    configs: Sequence[Config] | None = None,
    on_progress: OnProgress | None = None,
) -> list:
    """Every result of the lesson's grid: those that are stored, and those computed now.

    A run that is interrupted loses only the configurations it was computing. Results of another
    base model than today's are computed again.

    Args:
        lesson: its number, as "03".
        seeds: each configuration is computed with each of them.
        profile: a profile's name; None means `$IFT_PROFILE` or "tiny".
        jobs: how many runs at a time, each with one thread; None means one for each of two cores.
        configs: only these configurations of the grid.
        on_progress: called with the number of results there are, the number there will be, and the
            newest result (None at first); None shows a bar while anything is computed.

    Returns:
        The results of the lesson's class, configuration by configuration, each with its seeds.

    Raises:
        CourseError: the lesson has no grid, the stored one is damaged, or a worker was killed.
    """
    if lesson not in LESSONS:
        raise CourseError(
            f"Lesson {lesson} has no grid; --full is for lessons {', '.join(LESSONS)}."
        )
    chosen = get_profile(profile)
    module = _module(lesson)
    grid = module.GRID if configs is None else configs
    jobs_of_grid = [(config, seed) for config in grid for seed in seeds]
    kind = getattr(module, LESSONS[lesson])
    results = {(x.config, x.seed): x for x in grid_store.read(chosen, lesson, kind)}
    # By seed, because a worker keeps the model that the runs of one seed start from.
    missing = sorted((job for job in jobs_of_grid if job not in results), key=lambda job: job[1])
    total = len(jobs_of_grid)
    completed = total - len(missing)
    with _reporting(lesson, on_progress, missing) as report:
        report(completed, total, None)
        for result in _compute(lesson, missing, chosen, _n_workers(jobs, len(missing))):
            grid_store.add(chosen, lesson, result)
            results[result.config, result.seed] = result
            completed += 1
            report(completed, total, result)
    return [results[job] for job in jobs_of_grid]


def n_missing(lesson: str, *, seeds: Sequence[int] = SEEDS, profile: str | None = None) -> int:
    """How many runs of the lesson's grid are not stored for the profile's base model."""
    module, chosen = _module(lesson), get_profile(profile)
    results = grid_store.read(chosen, lesson, getattr(module, LESSONS[lesson]))
    stored = {(x.config, x.seed) for x in results}
    return sum((config, seed) not in stored for config in module.GRID for seed in seeds)


def stored_or_first_seed(
    lesson: str,
    *,
    seeds: Sequence[int],
    profile: str | None = None,
    live: Sequence[Result] = (),
) -> list:
    """Every result of the lesson's grid if all are stored, otherwise those of the first seed.

    A lesson reads its grid with this, because nobody who has changed the base model should wait for
    a whole grid in the middle of a lesson. A line says where the other seeds come from.

    Args:
        lesson: its number, as "05".
        seeds: of each configuration.
        profile: a profile's name; None means `$IFT_PROFILE` or "tiny".
        live: results of the first seed that the lesson has measured itself; those are not computed.

    Returns:
        The results of the lesson's class, configuration by configuration, each with its seeds.
    """
    grid, chosen = _module(lesson).GRID, get_profile(profile)
    if not n_missing(lesson, seeds=seeds, profile=chosen.name):
        return full(lesson, seeds=seeds, profile=chosen.name)
    print(
        f"Not every run is stored for this base model and these seeds, so you see seed {seeds[0]} "
        f"alone, which decides no claim. `ift run {lesson} --full` computes the others."
    )
    results = {x.config: x for x in live if x.seed == seeds[0]}
    missing = [config for config in grid if config not in results]
    results |= {
        result.config: result
        for result in full(lesson, seeds=seeds[:1], profile=chosen.name, configs=missing)
    }
    return [results[config] for config in grid]


def _reporting(
    lesson: str, on_progress: OnProgress | None, missing: list[Job]
) -> AbstractContextManager[OnProgress]:
    if on_progress or not missing:
        return nullcontext(on_progress or (lambda completed, total, result: None))
    from ift_course.claims.progress import grid_progress

    return grid_progress(lesson)


def _compute(lesson: str, missing: list[Job], profile: Profile, workers: int) -> Iterator[Result]:
    if workers <= 1:
        yield from (_run_config(lesson, *job, profile) for job in missing)
        return
    context = multiprocessing.get_context("spawn")
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"  # the workers read it when they start
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_follow_parent)
    try:
        futures = [pool.submit(_run_config, lesson, *job, profile) for job in missing]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool:
        raise CourseError(
            "A worker was killed, probably because memory ran out; close other programs and run "
            "the command again: the finished results are stored."
        ) from None
    finally:
        children = multiprocessing.active_children()
        pool.shutdown(wait=False, cancel_futures=True)
        for child in children:  # after Ctrl-C nobody waits for results that will not be stored
            child.terminate()
        os.environ.pop("OMP_NUM_THREADS")
        if before is not None:
            os.environ["OMP_NUM_THREADS"] = before


def _run_config(lesson: str, config: Config, seed: int, profile: Profile) -> Result:
    return _module(lesson).run_config(config, seed, profile)


def _follow_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os._exit(1)  # a result that nobody will store is not worth finishing


def _module(lesson: str) -> ModuleType:
    return import_module(f"ift_course.lessons.lesson_{lesson}.experiment")


def _n_workers(jobs: int | None, n_missing: int) -> int:
    from ift_course.hardware import usable_cores

    return min(jobs or min(2, usable_cores()), n_missing)
