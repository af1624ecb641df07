"""The exercises and the checks of each, all found by the names of the files."""

from __future__ import annotations

import importlib.util
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from ift_course.errors import CourseError
from ift_course.paths import PACKAGE

FOLDER = PACKAGE / "lessons"
NAME = re.compile(r"test_(\d+)_(\w+)\.py")


@dataclass(frozen=True)
class Exercise:
    """An exercise.

    Attributes:
        id: For example "02.3".
        lesson: For example "02".
        number: Of the exercise in its lesson.
        function: The name of the function that the learner writes.
        path: The file with the checks.
    """

    id: str
    lesson: str
    number: int
    function: str
    path: Path


@dataclass(frozen=True)
class Check:
    """One check of an exercise.

    Attributes:
        id: For example "02.3/test_name".
        exercise: The exercise's id.
        name: The name of the check's function.
        title: One sentence for the learner.
        points: Points for passing.
        hidden: Whether only the instructor's grader runs it.
        needs: The fixtures that `run` takes.
        run: The check's function.
    """

    id: str
    exercise: str
    name: str
    title: str
    points: int
    hidden: bool
    needs: tuple[str, ...]
    run: Callable[..., None]


def exercises(lesson: str | None = None, folder: Path | None = None) -> list[Exercise]:
    """List the exercises of one lesson ("02") or of all that have checks, in order.

    Args:
        lesson: The lesson; None means all.
        folder: An instructor's folder with files `lesson_02/test_3_response_labels.py`; None means
            the course's own, `lessons/lesson_02/checks/test_3_response_labels.py`.
    """
    result = []
    for path in folder.glob("lesson_*/test_*.py") if folder else FOLDER.glob("*/checks/test_*.py"):
        name = NAME.fullmatch(path.name)
        room = path.parent if folder else path.parent.parent
        number = room.name.removeprefix("lesson_")
        if name and lesson in (None, number):
            result.append(
                Exercise(f"{number}.{name[1]}", number, int(name[1]), name[2], path.resolve())
            )
    return sorted(result, key=lambda x: (x.lesson, x.number))


def by_function(name: str) -> Exercise:
    """Find the exercise whose function has this name.

    Raises:
        CourseError: There is none; the sentence lists all of them.
    """
    return _only("function", name)


def by_id(number: str) -> Exercise:
    """Find the exercise with this id, for example "02.3".

    Raises:
        CourseError: There is none; the sentence lists all of them.
    """
    return _only("id", number)


def _only(field: str, value: str) -> Exercise:
    candidates = exercises()
    matches = [x for x in candidates if getattr(x, field) == value]
    if not matches:
        names = ", ".join(getattr(x, field) for x in candidates)
        raise CourseError(f"No exercise has the {field} {value!r}; they are: {names}.")
    return matches[0]


def checks(exercise: Exercise) -> list[Check]:
    """Execute the exercise's file and list its checks in the order of the file."""
    return list(_checks(exercise))


@cache
def _checks(exercise: Exercise) -> tuple[Check, ...]:
    module = load_module(exercise.path, f"ift_check_{exercise.lesson}_{exercise.number}")
    marked: list[Any] = [
        x for x in vars(module).values() if inspect.isfunction(x) and hasattr(x, "points")
    ]
    return tuple(
        Check(
            id=f"{exercise.id}/{run.__name__}",
            exercise=exercise.id,
            name=run.__name__,
            title=" ".join((inspect.getdoc(run) or run.__name__).split("\n\n")[0].split()),
            points=run.points,
            hidden=run.hidden,
            needs=tuple(inspect.signature(run).parameters),
            run=run,
        )
        for run in marked
    )


def load_module(path: Path, name: str) -> ModuleType:
    """Execute a file that is in no importable package.

    Raises:
        ImportError: The file is not Python source.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
