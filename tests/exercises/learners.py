"""Functions to check: the solution of an exercise, its stub, or any other code."""

import ast
import contextlib
import signal
from functools import cache
from pathlib import Path
from types import CodeType

from ift_course.exercises import catalog, source
from ift_course.exercises.judging import run_check
from ift_course.exercises.learner import InProcessLearner


@cache
def written(exercise: catalog.Exercise) -> source.ExerciseSource:
    return source.find(exercise.id)


def _source(lesson: str) -> Path:
    return next(x for x in source.sources() if x.name[:2] == lesson)


@cache  # reading a source by jupytext takes longer than judging all of its exercises
def _cells(lesson: str) -> list[str]:
    return [cell.source for cell in source.cells(_source(lesson))]


@cache
def _imports(lesson: str) -> CodeType:
    path = _source(lesson)
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    imports = [x for x in nodes if isinstance(x, ast.Import | ast.ImportFrom)]
    return compile(ast.Module(imports, type_ignores=[]), path.name, "exec")


def namespace(exercise: catalog.Exercise, code: str | None = None) -> dict:
    """The names in a notebook after its imports and `code`, by default the solution."""
    names: dict = {"__name__": "notebook"}
    exec(_imports(exercise.lesson), names)
    exec(code if code is not None else written(exercise).solution, names)
    return names


def stub(exercise: catalog.Exercise) -> dict:
    """What a notebook holds before anything is solved."""
    cell = next(x for x in _cells(exercise.lesson) if f"def {exercise.function}(" in x)
    return namespace(exercise, source.stubbed(cell))


def card(exercise: catalog.Exercise) -> str:
    """What a learner reads above the stub."""
    return next(x for x in _cells(exercise.lesson) if x.startswith(f"## {exercise.id} "))


def tensor(values):
    """A substitute for `torch.tensor`, so that a rendered example can be evaluated."""
    import torch

    return torch.tensor(values)


def verdicts(exercise: catalog.Exercise, names: dict, seed: int = 0) -> list:
    return [run_check(check, InProcessLearner(names), seed) for check in catalog.checks(exercise)]


def killed(exercise: catalog.Exercise, code: str) -> bool:
    """Whether some check fails for this code, or the code does not run at all."""
    try:
        names = namespace(exercise, code)
    except Exception:
        return True
    with at_most(3):
        return any(
            not run_check(x, InProcessLearner(names), 0).passed for x in catalog.checks(exercise)
        )


@contextlib.contextmanager
def at_most(seconds: int):
    """Interrupt an endless loop after this many seconds of processor time."""

    def stop(*_):
        raise TimeoutError("endless")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
