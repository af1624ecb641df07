"""Notebooks (.ipynb) from the lessons' sources (.py, percent format)."""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.authoring.generated_docs import terms_of
from ift_course.errors import CourseError
from ift_course.exercises.notebook_files import KERNEL, with_colab, write
from ift_course.lessons.discover import Lesson
from ift_course.lessons.timings import cost_table
from ift_course.links import badge
from ift_course.paths import results_dir

if TYPE_CHECKING:
    from nbformat import NotebookNode


def read(lesson: Lesson) -> NotebookNode:
    """Return the lesson as a notebook without outputs, with its `{{ … }}` placeholders filled in.

    Raises:
        CourseError: The source is not valid Python.
    """
    import jupytext
    from nbformat.v4 import new_notebook

    text = lesson.source.read_text(encoding="utf-8")
    try:
        compile(text, lesson.source.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        raise CourseError(
            f"{lesson.source}, line {error.lineno} is not valid Python: {error.msg}."
        ) from None
    cells = with_colab(jupytext.reads(text, fmt="py:percent").cells)
    values = _placeholder_values(lesson)
    for cell in cells:
        cell.id = _cell_id(cell, cells)
        if cell.cell_type == "markdown":
            for placeholder, value in values.items():
                cell.source = cell.source.replace(placeholder, value)
    return new_notebook(
        cells=cells, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )


def notebook_path(lesson: Lesson) -> Path:
    """The path of a lesson's committed notebook, with its outputs."""
    return lesson.source.with_suffix(".ipynb")


def publish(lesson: Lesson) -> None:
    """Write the committed notebook from the lesson's last execution on `tiny`."""
    import nbformat

    executed = results_dir("tiny") / "notebooks" / f"{lesson.name}.ipynb"
    notebook = nbformat.read(executed, as_version=4)
    for cell, fresh in zip(notebook.cells, read(lesson).cells, strict=True):
        cell.source = fresh.source  # its cost table now has the execution that was just measured
    write(notebook, notebook_path(lesson))


def difference(lesson: Lesson) -> str | None:
    """Say in one sentence how the committed notebook differs from its source; None if it matches.

    The measured costs may differ, because they change with every run.
    """
    import jupytext
    import nbformat

    path = notebook_path(lesson)
    if not path.exists():
        return f"{path} is missing"
    fixed = {
        placeholder: value
        for placeholder, value in _placeholder_values(lesson).items()
        if placeholder != "{{ cost }}"
    }
    script = lesson.source.read_text(encoding="utf-8")
    sources = with_colab(jupytext.reads(script, fmt="py:percent").cells)
    cells = nbformat.read(path, as_version=4).cells
    if len(cells) != len(sources):
        return f"{path} has {len(cells)} cells and its source {len(sources)}"
    for index, (cell, source) in enumerate(zip(cells, sources, strict=True), start=1):
        text = source.source
        if source.cell_type == "markdown":
            for placeholder, value in fixed.items():
                text = text.replace(placeholder, value)
        pattern = ".*".join(map(re.escape, text.split("{{ cost }}")))
        same = re.fullmatch(pattern, cell.source, re.DOTALL)
        if cell.cell_type != source.cell_type or not same:
            return f"cell {index} of {path} differs from its source"
    return None


def _placeholder_values(lesson: Lesson) -> dict[str, str]:
    return {
        "{{ badge }}": badge(f"notebooks/{lesson.name}.ipynb"),
        "{{ cost }}": cost_table(lesson.number),
        "{{ terms }}": terms_of(lesson.number),
    }


def _cell_id(cell: NotebookNode, cells: list[NotebookNode]) -> str:
    """A cell id that stays the same when other cells are added or removed."""
    twins = [x for x in cells if x.source == cell.source]
    digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
    copy = next(i for i, x in enumerate(twins) if x is cell)
    return f"{digest}-{copy}" if copy else digest
