"""Execution of lessons, side by side where the cores allow, with their timings and claims."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ift_course import settings
from ift_course.authoring import build
from ift_course.authoring.execute import CellError, Stopped, count_code_cells, execute
from ift_course.claims import store
from ift_course.hardware import machine, threads
from ift_course.lessons import timings
from ift_course.lessons.discover import Lesson
from ift_course.paths import project_root, results_dir
from ift_course.profile import Profile

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from ift_course.claims.entry import Claim


@dataclass(frozen=True)
class Outcome:
    """One executed lesson: its timing, the error that stopped it, and its claims.

    Attributes:
        claims: As `claims.json` stores them.
    """

    lesson: Lesson
    timing: timings.Timing
    error: CellError | None
    claims: list[Claim]

    @property
    def problems(self) -> list[str]:
        """Each problem in a few lines for the terminal."""
        if self.error:
            message = f"Lesson {self.lesson.number}, cell {self.error.cell}: {self.error.error}"
            return [f"{message}\n    {self.error.line}" if self.error.line else message]
        return [
            f"Lesson {self.lesson.number}, claim {x.id} does not hold: {x.statement}"
            for x in self.claims
            if not x.holds
        ]


class Progress(Protocol):
    """A display of how far the lessons are; its methods are called from several threads."""

    def start(self, lesson: Lesson, cells: int) -> None: ...
    def cell(self, lesson: Lesson, number: int) -> None: ...
    def finish(self, outcome: Outcome) -> None: ...


def run(
    lessons: Sequence[Lesson], profile: Profile, *, jobs: int, progress: Progress
) -> list[Outcome]:
    """Execute `lessons`, at most `jobs` at a time, and return their outcomes in lesson order.

    The notebook, timing and claims of each lesson are written as soon as it finishes. On Ctrl-C the
    kernels are killed, an unfinished lesson gets its earlier claims back, and the
    KeyboardInterrupt is raised again.

    Raises:
        CourseError: A lesson's source is not valid Python. Nothing is executed then.
    """
    notebooks = [(lesson, build.read(lesson)) for lesson in lessons]
    stop = threading.Event()
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(jobs) as pool:
        pending: set[Future[Outcome]] = {
            pool.submit(_run_one, lesson, notebook, profile, threads(jobs), stop, progress)
            for lesson, notebook in notebooks
        }
        try:
            while pending:
                # On Windows, a wait without a timeout would block Ctrl-C.
                finished, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                outcomes += [future.result() for future in finished]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return sorted(outcomes, key=lambda x: x.lesson.number)


def kernel_env(profile: Profile, thread_count: int) -> dict[str, str]:
    """Variables of a lesson's kernel in addition to this process's environment.

    Args:
        profile: The profile of the lesson.
        thread_count: The lesson's number of threads.
    """
    env = {
        settings.PROFILE: profile.name,
        settings.THREADS: str(thread_count),
        "OMP_NUM_THREADS": str(thread_count),
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    return env | {"HF_HUB_OFFLINE": "1"} if profile.offline else env


def _run_one(
    lesson: Lesson,
    notebook: NotebookNode,
    profile: Profile,
    thread_count: int,
    stop: threading.Event,
    progress: Progress,
) -> Outcome:
    if stop.is_set():
        raise Stopped
    progress.start(lesson, count_code_cells(notebook))
    earlier = store.take_claims(profile.name, lesson.number)
    try:
        execution = execute(
            notebook,
            env=kernel_env(profile, thread_count),
            cwd=project_root(),
            on_cell=lambda number: progress.cell(lesson, number),
            stop=stop,
        )
    except BaseException:
        store.put_back_claims(profile.name, lesson.number, earlier)
        raise
    folder = results_dir(profile.name) / "notebooks"
    folder.mkdir(exist_ok=True)
    build.write(execution.notebook, folder / f"{lesson.name}.ipynb")
    timing = timings.Timing(
        lesson=lesson.number,
        title=lesson.title,
        status="failed" if execution.error else "ok",
        cells=execution.cells,
        seconds=round(execution.seconds),
        peak_mb=round(execution.peak_mb),
        threads=thread_count,
        machine=machine(),
    )
    timings.write_timings(profile.name, [timing])
    claims = [x for x in store.read_claims(profile.name) if x.lesson == lesson.number]
    outcome = Outcome(lesson, timing, execution.error, claims)
    progress.finish(outcome)
    return outcome
