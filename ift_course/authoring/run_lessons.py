"""Executes lessons, side by side where there are cores for it, and keeps what they measured."""

import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ift_course.authoring import build
from ift_course.authoring.execute import CellError, Stopped, code_cells, execute
from ift_course.claims import store
from ift_course.hardware import machine, threads
from ift_course.lessons import timings
from ift_course.lessons.discover import Lesson
from ift_course.paths import project_root, results_dir
from ift_course.profile import Profile

if TYPE_CHECKING:
    from ift_course.claims.entry import Claim


@dataclass(frozen=True)
class Outcome:
    """One executed lesson: its timing, the error that stopped it, and its claims."""

    lesson: Lesson
    timing: timings.Timing
    error: CellError | None
    claims: "list[Claim]"

    @property
    def problems(self) -> list[str]:
        """What is wrong with it, each in a few lines for the terminal."""
        if self.error:
            at = f"Lesson {self.lesson.number}, cell {self.error.cell}: {self.error.error}"
            return [f"{at}\n    {self.error.line}" if self.error.line else at]
        return [
            f"Lesson {self.lesson.number}, claim {x.id} does not hold: {x.statement}"
            for x in self.claims
            if not x.holds
        ]


class Progress(Protocol):
    """Who is told how far the lessons are; called from several threads."""

    def start(self, lesson: Lesson, cells: int) -> None: ...
    def cell(self, lesson: Lesson, number: int) -> None: ...
    def finish(self, outcome: Outcome) -> None: ...


def run(
    lessons: Sequence[Lesson], profile: Profile, *, jobs: int, progress: Progress
) -> list[Outcome]:
    """Executes `lessons`, at most `jobs` at a time, and returns their outcomes in lesson order.

    Each finished lesson's notebook, timing and claims are kept as it finishes. On Ctrl-C the
    kernels are killed, an unfinished lesson gets its earlier claims back, and the
    KeyboardInterrupt goes on.

    Raises:
        CourseError: a lesson's source is not valid Python; nothing is executed then.
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
                # A wait without a timeout would not let Ctrl-C through on Windows.
                done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                outcomes += [future.result() for future in done]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return sorted(outcomes, key=lambda x: x.lesson.number)


def kernel_env(profile: Profile, count: int) -> dict[str, str]:
    """The environment of a lesson's kernel besides what this process has; `count` threads."""
    env = {
        "IFT_PROFILE": profile.name,
        "IFT_THREADS": str(count),
        "OMP_NUM_THREADS": str(count),
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    return env | {"HF_HUB_OFFLINE": "1"} if profile.offline else env


def _run_one(
    lesson: Lesson,
    notebook: Any,
    profile: Profile,
    count: int,
    stop: threading.Event,
    progress: Progress,
) -> Outcome:
    if stop.is_set():
        raise Stopped
    progress.start(lesson, code_cells(notebook))
    earlier = store.take_claims(profile.name, lesson.number)
    try:
        execution = execute(
            notebook,
            env=kernel_env(profile, count),
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
        threads=count,
        machine=machine(),
    )
    timings.write_timings(profile.name, [timing])
    claims = [x for x in store.read_claims(profile.name) if x.lesson == lesson.number]
    outcome = Outcome(lesson, timing, execution.error, claims)
    progress.finish(outcome)
    return outcome
