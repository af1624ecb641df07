"""`ift check`: a learner's notebook in a process of its own, with a time limit for every step."""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ift_course import settings
from ift_course.errors import CourseError
from ift_course.exercises import catalog, notebook_cells
from ift_course.exercises.compare import MaskDiff
from ift_course.exercises.judging import Verdict
from ift_course.exercises.report import Report

LIMIT = 20.0  # seconds for a cell, and for the checks of one exercise
START = 120.0  # seconds until the first cell: torch may have to be read from a cold disk


@dataclass
class Result:
    """An exercise of a notebook: its report, or the reason why there is none."""

    exercise: catalog.Exercise
    report: Report | None = None
    problem: str = ""


@dataclass
class _Run:
    """The output of the workers so far.

    Attributes:
        skip: Steps that hung or ended the process, and exercises that are finished.
        failed: Why each failed step failed.
        reports: By exercise.
        ended: Whether a worker came to its end.
    """

    skip: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    ended: bool = False


def check_notebook(path: Path, limit: float = LIMIT) -> list[Result]:
    """Check all exercises of the notebook's lesson.

    Args:
        path: The notebook; its name begins with the number of the lesson.
        limit: Seconds after which a cell or an exercise is skipped and the others are run.

    Raises:
        CourseError: There is no such notebook, it is broken, or it belongs to no lesson.
    """
    exercises = catalog.exercises(path.name[:2])
    if not exercises:
        raise CourseError(
            f"{path.name} is not an exercise notebook; their names have the form NN_topic.ipynb."
        )
    codes = dict(notebook_cells.code_cells(path))
    _refuse_other_lesson(path, "\n".join(codes.values()))
    run = _Run()
    while not run.ended:
        _follow(path, run, limit)
    return [_result(exercise, codes, run) for exercise in exercises]


def _refuse_other_lesson(path: Path, code: str) -> None:
    defined = set(re.findall(r"^\s*def (\w+)", code, re.MULTILINE))
    lesson = path.name[:2]
    owners = {x.function: x.lesson for x in catalog.exercises() if x.function in defined}
    if owners and lesson not in owners.values():
        function, other = next(iter(owners.items()))
        raise CourseError(
            f"{path.name} defines functions of lesson {other} ({function}) but none of lesson "
            f"{lesson}; its name must begin with the number of its lesson."
        )


def _follow(path: Path, run: _Run, limit: float) -> None:
    """Start a worker and read its lines until it ends, hangs, or dies; then skip its step."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ift_course.exercises.check_worker", str(path.resolve()),
         path.name[:2], json.dumps(run.skip)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, encoding="utf-8", env=os.environ | {settings.CHECKING: "1", "MPLBACKEND": "Agg"},
    )  # fmt: skip
    step = ""
    try:
        for line in _lines(process, limit):
            step = line.get("step", step)
            if "failed" in line:
                run.failed[line["failed"]] = line["why"]
            if "report" in line:
                report = _report(line["report"])
                run.reports[report.id] = report
    except TimeoutError:
        run.failed[step] = f"{_name(step)} was still running after {limit:g} seconds"
    finally:
        process.kill()
        process.wait()
    run.ended = step == "end"
    if not run.ended:
        run.failed.setdefault(step, f"{_name(step)} ended the process")
        # Finished exercises are not run again.
        run.skip = [*{*run.skip, step, *run.reports}]
        run.ended = step == ""


def _lines(process: subprocess.Popen, limit: float) -> Iterator[dict]:
    """The worker's lines.

    Raises:
        TimeoutError: It was silent for too long.
    """
    lines: queue.Queue[str | None] = queue.Queue()

    def listen() -> None:
        for line in process.stdout or ():
            lines.put(line)
        lines.put(None)

    threading.Thread(target=listen, daemon=True).start()
    patience = START
    while True:
        try:
            line = lines.get(timeout=patience)
        except queue.Empty:
            raise TimeoutError from None
        if line is None:
            return
        patience = limit
        yield json.loads(line)


def _name(step: str) -> str:
    return f"The exercise {step}" if "." in step else step


def _report(data: dict) -> Report:
    verdicts = [Verdict(**x | {"mask": _mask(x["mask"])}) for x in data.pop("verdicts")]
    return Report(**data, verdicts=verdicts)


def _mask(data: dict | None) -> MaskDiff | None:
    return MaskDiff(**{name: tuple(x) for name, x in data.items()}) if data else None


def _result(exercise: catalog.Exercise, codes: dict[int, str], run: _Run) -> Result:
    report = run.reports.get(exercise.id)
    if report and not all("There is no function" in x.message for x in report.verdicts):
        return Result(exercise, report)
    if exercise.id in run.failed:
        return Result(exercise, problem=run.failed[exercise.id])
    defining = re.compile(rf"^\s*def {exercise.function}\b", re.MULTILINE)
    for number, code in codes.items():
        if defining.search(code) and f"cell {number}" in run.failed:
            return Result(exercise, problem=run.failed[f"cell {number}"])
    others = "; ".join(why for step, why in run.failed.items() if step.startswith("cell "))
    missing = f"there is no function {exercise.function}" + (f" ({others})" if others else "")
    return Result(exercise, report, missing)
