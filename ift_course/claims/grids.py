"""Computes what is missing of a lesson's grid, cells side by side, and keeps each as it is done."""

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
from typing import Any

from ift_course.claims import grid_store
from ift_course.errors import CourseError
from ift_course.profile import Profile, get_profile

# Their room has an `experiment.py` with GRID, Row and run_cell.
LESSONS = ("03", "05", "06", "07", "08")
SEEDS = (0, 1, 2)

# Each lesson has its own classes of cells and rows (`store.read` says what they share).
Job = tuple[Any, int]
OnProgress = Callable[[int, int, Any], None]


def full(
    lesson: str,
    *,
    seeds: Sequence[int] = SEEDS,
    profile: str | None = None,
    jobs: int | None = None,
    cells: Sequence | None = None,
    on_progress: OnProgress | None = None,
) -> list:
    """Every row of the lesson's grid: those that are stored, and those computed now.

    Args:
        lesson: as "03".
        seeds: each cell is computed with each of them.
        profile: a profile's name; None means $IFT_PROFILE or "tiny".
        jobs: cells side by side, each with one thread; None means one for each of two cores.
        cells: only these of the grid.
        on_progress: called with the rows done, the rows wanted and the newest row (None at first);
            None shows a bar while anything is computed.

    A run that is stopped loses only the cells it was at. Rows of another base model than today's
    give way. Raises CourseError if the lesson has no grid, the stored one is damaged, or a worker
    was killed.
    """
    if lesson not in LESSONS:
        raise CourseError(
            f"Lesson {lesson} has no grid; --full is for lessons {', '.join(LESSONS)}."
        )
    chosen = get_profile(profile)
    module = _module(lesson)
    grid = module.GRID if cells is None else cells
    wanted = [(cell, seed) for cell in grid for seed in seeds]
    rows = {(row.cell, row.seed): row for row in grid_store.read(chosen, lesson, module.Row)}
    # By seed, because a worker keeps the model that the cells of one seed start from.
    missing = sorted((job for job in wanted if job not in rows), key=lambda job: job[1])
    done = len(wanted) - len(missing)
    with _reporting(lesson, on_progress, missing) as report:
        report(done, len(wanted), None)
        for row in _computed(lesson, missing, chosen, _side_by_side(jobs, len(missing))):
            grid_store.add(chosen, lesson, row)
            rows[row.cell, row.seed] = row
            done += 1
            report(done, len(wanted), row)
    return [rows[job] for job in wanted]


def _reporting(
    lesson: str, on_progress: OnProgress | None, missing: list[Job]
) -> AbstractContextManager[OnProgress]:
    if on_progress or not missing:
        return nullcontext(on_progress or (lambda done, total, row: None))
    from ift_course.claims.progress import grid_progress

    return grid_progress(lesson)


def _computed(lesson: str, missing: list[Job], profile: Profile, jobs: int) -> Iterator:
    if jobs <= 1:
        yield from (_run_cell(lesson, *job, profile) for job in missing)
        return
    context = multiprocessing.get_context("spawn")
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"  # the workers read it when they start
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_follow_parent)
    try:
        futures = [pool.submit(_run_cell, lesson, *job, profile) for job in missing]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool:
        raise CourseError(
            "A worker was killed, probably for lack of memory; close other programs and run it "
            "again: what was finished is kept."
        ) from None
    finally:
        workers = multiprocessing.active_children()
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:  # on Ctrl-C nobody waits for cells that nobody will keep
            worker.terminate()
        os.environ.pop("OMP_NUM_THREADS")
        if before is not None:
            os.environ["OMP_NUM_THREADS"] = before


def _run_cell(lesson: str, cell, seed: int, profile: Profile):
    return _module(lesson).run_cell(cell, seed, profile)


def _follow_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)  # a cell that nobody will keep is not worth finishing


def _module(lesson: str):
    return import_module(f"ift_course.lessons.lesson_{lesson}.experiment")


def _side_by_side(jobs: int | None, missing: int) -> int:
    from ift_course.hardware import usable_cores

    return min(jobs or min(2, usable_cores()), missing)
