"""Runs a learner's notebook for `ift check`, in a process that may be killed at any time.

`python -m ift_course.exercises.check_worker NOTEBOOK LESSON SKIP` writes a line of JSON to standard
output for every step that begins and every result. SKIP is a JSON list of steps that hung before.
What the learner prints goes nowhere.
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any


def main(notebook: str, lesson: str, skip: str) -> None:
    """Runs the cells, then the checks of every exercise of the lesson."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.chdir(Path(notebook).parent)

    def tell(**line: Any) -> None:
        channel.write(json.dumps(line) + "\n")
        channel.flush()

    run(Path(notebook).name, lesson, set(json.loads(skip)), tell)


def run(notebook: str, lesson: str, skip: set[str], tell: Any) -> None:
    """As `main`; `tell` takes what is to be written."""
    import torch  # noqa: F401 (now, while there is more patience than for a cell)

    from ift_course.exercises import catalog, notebook_cells
    from ift_course.exercises.execution import definitions
    from ift_course.exercises.report import report

    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number, code in notebook_cells.code_cells(Path(notebook)):
        step = f"cell {number}"
        if step in skip:  # a slow experiment behind a function must not cost the function
            code, step = definitions(code), f"definitions of cell {number}"
            if not code or step in skip:
                continue
        tell(step=step)
        try:
            notebook_cells.execute(number, code, namespace)
        except BaseException as error:
            tell(failed=step, why=said(error, number))
    for exercise in catalog.exercises(lesson):
        if exercise.id not in skip:
            tell(step=exercise.id)
            tell(report=asdict(report(exercise, namespace)))
    tell(step="end")


def said(error: BaseException, cell: int) -> str:
    """An exception in a cell, in one line."""
    where = ""
    if isinstance(error, SyntaxError):
        return f"cell {cell} is no Python: {error.msg} (its line {error.lineno})"
    step = error.__traceback__
    while step:
        if step.tb_frame.f_code.co_filename == f"<cell {cell}>":
            where = f" (its line {step.tb_lineno})"
        step = step.tb_next
    return f"cell {cell} stopped with {type(error).__name__}: {error}{where}"


if __name__ == "__main__":
    main(*sys.argv[1:])
