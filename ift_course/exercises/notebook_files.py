"""Notebook files: the cell that installs the course on Colab, and reproducible writing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.disk import atomic_write_text
from ift_course.links import repository_url

if TYPE_CHECKING:
    from nbformat import NotebookNode

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
WIDGET = "application/vnd.jupyter.widget-view+json"
# Without magics, which a grader's Python would not understand.
COLAB = """\
# On Colab this gets the course and leaves Colab's torch alone. Elsewhere it does nothing.
from importlib.util import find_spec

if not find_spec("ift_course"):
    get_ipython().system("pip install -q --no-deps git+{{ repository }}")
    get_ipython().system("python -m ift_course.colab")
"""


def with_colab(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Insert a cell before the first code that installs the course where it is missing."""
    from nbformat.v4 import new_code_cell

    first = next((i for i, x in enumerate(cells) if x.cell_type == "code"), len(cells))
    if first == len(cells) or "import ift_course" not in cells[first].source:
        return cells
    cell = new_code_cell(COLAB.replace("{{ repository }}", repository_url()).rstrip())
    return [*cells[:first], cell, *cells[first:]]


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook so that the same cells and outputs give the same bytes."""
    import nbformat

    copy: Any = nbformat.from_dict(notebook)
    copy.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.outputs = _join_streams([x for x in map(_without_widget, cell.outputs) if x])
    nbformat.validate(copy)
    atomic_write_text(path, nbformat.writes(copy, version=nbformat.NO_CONVERT) + "\n")


def _without_widget(output: NotebookNode) -> NotebookNode | None:
    """Keep only the static form of a live widget, which is an empty box without its kernel."""
    data = output.get("data", {})
    if WIDGET not in data:
        return output
    data.pop(WIDGET)
    return output if set(data) - {"text/plain"} else None


def _join_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join neighboring outputs of one stream, because printed text is split by timing."""
    joined: list[Any] = []
    for output in outputs:
        last: Any = joined[-1] if joined else {}
        if output.get("name") and last.get("name") == output.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined
