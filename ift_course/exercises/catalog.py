"""The exercises there are, and the checks of each: all from the names of the files."""

import importlib.util
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ift_course.errors import CourseError
from ift_course.paths import PACKAGE

FOLDER = PACKAGE / "lessons"
NAME = re.compile(r"test_(\d+)_(\w+)\.py")


@dataclass(frozen=True)
class Exercise:
    """id: as "02.3". function: the name of what the learner writes. path: of the check file."""

    id: str
    lesson: str
    number: int
    function: str
    path: Path


@dataclass(frozen=True)
class Check:
    """One check: id as "02.3/test_name"; needs: the fixtures that `run` takes."""

    id: str
    exercise: str
    name: str
    title: str
    points: int
    hidden: bool
    needs: tuple[str, ...]
    run: Callable[..., None]


def exercises(lesson: str | None = None, folder: Path | None = None) -> list[Exercise]:
    """The exercises of one lesson ("02") or of all, in order, that have checks.

    Args:
        folder: An instructor's folder with files `lesson_02/test_3_response_labels.py`; None means
            the course's own, `lessons/lesson_02/checks/test_3_response_labels.py`.
    """
    found = []
    for path in folder.glob("lesson_*/test_*.py") if folder else FOLDER.glob("*/checks/test_*.py"):
        name = NAME.fullmatch(path.name)
        room = path.parent if folder else path.parent.parent
        number = room.name.removeprefix("lesson_")
        if name and lesson in (None, number):
            found.append(
                Exercise(f"{number}.{name[1]}", number, int(name[1]), name[2], path.resolve())
            )
    return sorted(found, key=lambda x: (x.lesson, x.number))


def by_function(name: str) -> Exercise:
    """The exercise whose function has this name.

    Raises:
        CourseError: there is none; the sentence says which there are.
    """
    return _only("function", name)


def by_id(number: str) -> Exercise:
    """The exercise of this id, as "02.3".

    Raises:
        CourseError: there is none; the sentence says which there are.
    """
    return _only("id", number)


def _only(field: str, wanted: str) -> Exercise:
    known = exercises()
    found = [x for x in known if getattr(x, field) == wanted]
    if not found:
        names = ", ".join(getattr(x, field) for x in known)
        raise CourseError(f"No exercise has the {field} {wanted!r}; they are: {names}.")
    return found[0]


def checks(exercise: Exercise) -> list[Check]:
    """The checks of an exercise in the order of the file, which is executed for it."""
    return list(_checks(exercise))


@cache
def _checks(exercise: Exercise) -> tuple[Check, ...]:
    module = load(exercise.path, f"ift_check_{exercise.lesson}_{exercise.number}")
    marked = [x for x in vars(module).values() if inspect.isfunction(x) and hasattr(x, "worth")]
    return tuple(
        Check(
            id=f"{exercise.id}/{run.__name__}",
            exercise=exercise.id,
            name=run.__name__,
            title=" ".join((inspect.getdoc(run) or run.__name__).split("\n\n")[0].split()),
            points=run.worth,
            hidden=run.hidden,
            needs=tuple(inspect.signature(run).parameters),
            run=run,
        )
        for run in marked
    )


def load(path: Path, name: str):
    """The module of a file that lies in no package of the import path."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
