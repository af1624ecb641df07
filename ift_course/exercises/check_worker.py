"""Run a learner's notebook for `ift check`, in a process that may be killed at any time.

`python -m ift_course.exercises.check_worker NOTEBOOK LESSON SKIP` writes a line of JSON to standard
output for every step that begins and every result. SKIP is a JSON list of steps that hung before.
The learner's own output is discarded.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any


def main(notebook: str, lesson: str, skip: str) -> None:
    """Run the cells, then the checks of every exercise of the lesson.

    Args:
        notebook: The path.
        lesson: For example "02".
        skip: Steps to leave out, as JSON.
    """
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.chdir(Path(notebook).parent)

    def write(**line: Any) -> None:
        channel.write(json.dumps(line) + "\n")
        channel.flush()

    run(Path(notebook).name, lesson, set(json.loads(skip)), write)


def run(notebook: str, lesson: str, skip: set[str], write: Callable[..., None]) -> None:
    """Do the work of `main`; `write` takes the items of a line as keyword arguments."""
    import torch  # noqa: F401 (now, because the first step has a longer time limit)

    from ift_course.exercises import catalog, notebook_cells
    from ift_course.exercises.execution import definitions
    from ift_course.exercises.report import report

    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number, code in notebook_cells.code_cells(Path(notebook)):
        step = f"cell {number}"
        if step in skip:  # a slow experiment after a function must not cost the function
            code, step = definitions(code), f"definitions of cell {number}"
            if not code or step in skip:
                continue
        write(step=step)
        try:
            notebook_cells.execute(number, code, namespace)
        except BaseException as error:
            write(failed=step, why=describe_error(error, number))
    for exercise in catalog.exercises(lesson):
        if exercise.id not in skip:
            write(step=exercise.id)
            write(report=asdict(report(exercise, namespace)))
    write(step="end")


def describe_error(error: BaseException, cell: int) -> str:
    """Describe an exception in a cell in one line."""
    place = ""
    if isinstance(error, SyntaxError):
        return f"cell {cell} is not valid Python: {error.msg} (line {error.lineno} of the cell)"
    step = error.__traceback__
    while step:
        if step.tb_frame.f_code.co_filename == f"<cell {cell}>":
            place = f" (line {step.tb_lineno} of the cell)"
        step = step.tb_next
    return f"cell {cell} stopped with {type(error).__name__}: {error}{place}"


if __name__ == "__main__":
    main(*sys.argv[1:])
