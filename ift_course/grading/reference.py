"""The course's own solutions, in the trusted process: what they need, and that they pass."""

from __future__ import annotations

import ast
import contextlib
import io
from functools import cache
from typing import TYPE_CHECKING, Any

from ift_course import settings
from ift_course.errors import CourseError
from ift_course.exercises import notebook_cells, source
from ift_course.exercises.judging import run_check
from ift_course.exercises.learner import InProcessLearner

if TYPE_CHECKING:
    from pathlib import Path

    from ift_course.exercises.catalog import Exercise
    from ift_course.grading.plan import GradingPlan


def verify(plan: GradingPlan) -> None:
    """Makes sure that every check of the instructor's passes on the course's solution.

    Args:
        plan: The checks.

    Raises:
        CourseError: One does not; the sentence names it and its message.
    """
    for exercise, check in plan.checks:
        if plan.hidden and exercise.path.is_relative_to(plan.hidden.resolve()):
            solution = namespace(exercise)
            if not solution:
                raise CourseError(f"{exercise.path}: there is no solution to try its checks on.")
            verdict = run_check(check, InProcessLearner(solution), plan.seed)
            if not verdict.passed:
                raise CourseError(
                    f"{exercise.path}: {check.name} does not pass on the course's own solution "
                    f"({verdict.message}); fix the check, or every student would lose its points."
                )


def namespace(exercise: Exercise) -> dict[str, Any]:
    """The solutions of the exercise's lesson by name; empty where they are not installed."""
    path = _source_of(exercise)
    return _executed(path) if path else {}


def parameters(exercise: Exercise) -> list[str]:
    """The names of the function's parameters; empty where the solutions are not installed."""
    path = _source_of(exercise)
    return _signatures(path).get(exercise.function, []) if path else []


def _source_of(exercise: Exercise) -> Path | None:
    return next((x for x in source.sources() if x.name[:2] == exercise.lesson), None)


@cache
def _executed(path: Path) -> dict[str, Any]:
    codes = [x.source for x in source.cells(path) if x.cell_type == "code"]
    names: dict[str, Any] = {"__name__": "solutions"}
    with settings.checking(), contextlib.redirect_stdout(io.StringIO()):
        for number, code in enumerate(codes, 1):
            notebook_cells.execute(number, code, names)
    return names


@cache
def _signatures(path: Path) -> dict[str, list[str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [x for x in tree.body if isinstance(x, ast.FunctionDef)]
    return {x.name: [arg.arg for arg in (*x.args.args, *x.args.kwonlyargs)] for x in functions}
