"""The course's own solutions, in the trusted process: what they need, and that they pass."""

import ast
import contextlib
import io
from functools import cache
from pathlib import Path
from typing import Any

from ift_course import settings
from ift_course.errors import CourseError
from ift_course.exercises import notebook_cells, source
from ift_course.exercises.catalog import Exercise
from ift_course.exercises.judging import RecordingLearner, watch
from ift_course.exercises.learner import InProcessLearner
from ift_course.grading.plan import Plan


def verify(plan: Plan) -> None:
    """Every check of the instructor's passes on the course's solution.

    Raises:
        CourseError: with the first check that does not, and what it said.
    """
    for exercise, check in plan.checks:
        if plan.hidden and exercise.path.is_relative_to(plan.hidden.resolve()):
            solution = namespace(exercise)
            if not solution:
                raise CourseError(f"{exercise.path}: there is no solution to try its checks on.")
            verdict = watch(check, RecordingLearner(InProcessLearner(solution)), plan.seed)
            if not verdict.passed:
                raise CourseError(
                    f"{exercise.path}: {check.name} does not pass on the course's own solution "
                    f"({verdict.message}); mend the check, or every student would lose its points."
                )


def namespace(exercise: Exercise) -> dict[str, Any]:
    """The solutions of the exercise's lesson; empty where they are not installed."""
    here = [x for x in source.sources() if x.name[:2] == exercise.lesson]
    return _executed(here[0]) if here else {}


def parameters(exercise: Exercise) -> list[str]:
    """The names of what the exercise's function takes; none where the solutions are not there."""
    here = [x for x in source.sources() if x.name[:2] == exercise.lesson]
    return _signatures(here[0]).get(exercise.function, []) if here else []


@cache
def _executed(path: Path) -> dict[str, Any]:
    codes = [x.source for x in source.cells(path) if x.cell_type == "code"]
    found: dict[str, Any] = {"__name__": "solutions"}
    with settings.checking(), contextlib.redirect_stdout(io.StringIO()):
        for number, code in enumerate(codes, 1):
            notebook_cells.execute(number, code, found)
    return found


@cache
def _signatures(path: Path) -> dict[str, list[str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [x for x in tree.body if isinstance(x, ast.FunctionDef)]
    return {x.name: [arg.arg for arg in (*x.args.args, *x.args.kwonlyargs)] for x in functions}
