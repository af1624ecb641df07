"""Bring a learner's notebook up to date without losing any of their work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.errors import CourseError
from ift_course.exercises.generate import notebook, pristine
from ift_course.exercises.notebook_files import write

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOTE = (
    "*The course has a new version of the next cell. Yours is below it, unchanged, and is the one "
    "that counts. Copy what you like from the new version, then delete it.*"
)


def update(source: Path, path: Path) -> list[str]:
    """Merge the exercises of `source` into the notebook at `path`; create it if it is missing.

    Cells that the learner did not change are replaced by the new ones. A cell that they changed
    stays, and a new version is put before it, with a note. New exercises are inserted in order,
    and the learner's own cells stay where they are.

    Returns:
        The changes, in words.

    Raises:
        CourseError: The file is not a notebook.
    """
    import nbformat

    fresh = notebook(source, "exercises")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write(fresh, path)
        return ["new"]
    try:
        mine = nbformat.read(path, as_version=4)
    except Exception:
        raise CourseError(f"{path} is no longer a notebook; restore it or move it away.") from None
    merged, changes = merge(mine.cells, fresh.cells)
    if changes:
        mine.cells = merged
        mine.nbformat_minor = max(mine.nbformat_minor, 5)
        _distinct_ids(merged)
        nbformat.validate(mine)
        write(mine, path)
    return changes


def merge(
    mine: list[NotebookNode], fresh: list[NotebookNode]
) -> tuple[list[NotebookNode], list[str]]:
    """Merge two lists of cells.

    Args:
        mine: The learner's cells.
        fresh: The generated cells.

    Returns:
        The merged cells, and the changes in words.
    """
    new = {_name(cell): cell for cell in fresh}
    seen = {_name(cell) for cell in mine}
    merged, changes = [], []

    def add_new_ones_before(name: str | None) -> None:
        for other in _missing_before(name, fresh, seen):
            seen.add(_name(other))
            merged.append(other)
            changes.append(f"{_name(other)} is new")

    for cell in mine:
        name = _name(cell)
        if name in new:
            add_new_ones_before(name)
        if name in new and pristine(cell):
            if cell.source.rstrip() != new[name].source.rstrip():
                changes.append(f"{name} is updated")
            merged.append(_with_outputs(new[name], cell))
        elif name in new and cell.metadata.ift.hash != new[name].metadata.ift.hash:
            merged += [*_beside(new[name]), _based_on(cell, new[name])]
            changes.append(f"{name} has a new version, put before yours")
        elif name and name not in new and pristine(cell):
            changes.append(f"{name} is no longer part of the course")
        else:
            merged.append(cell)
    add_new_ones_before(None)
    return merged, changes


def _name(cell: NotebookNode) -> str | None:
    return cell.get("metadata", {}).get("ift", {}).get("id")


def _missing_before(
    name: str | None, fresh: list[NotebookNode], seen: set[str | None]
) -> list[NotebookNode]:
    """The generated cells before the one called `name` that the learner does not have."""
    names = [_name(cell) for cell in fresh]
    end = names.index(name) if name else len(fresh)
    return [cell for cell in fresh[:end] if _name(cell) not in seen]


def _with_outputs(new: NotebookNode, old: NotebookNode) -> NotebookNode:
    if new.cell_type == old.cell_type == "code" and new.source.rstrip() == old.source.rstrip():
        new.outputs, new.execution_count = old.outputs, old.execution_count
    return new


def _beside(new: NotebookNode) -> list[NotebookNode]:
    """A note and the new version, without metadata, so that later updates ignore both."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    make = new_code_cell if new.cell_type == "code" else new_markdown_cell
    return [new_markdown_cell(NOTE), make(new.source)]


def _based_on(mine: NotebookNode, new: NotebookNode) -> NotebookNode:
    """Mark the learner's cell as having the new version, so that it is inserted only once."""
    mine.metadata.ift.hash = new.metadata.ift.hash
    return mine


def _distinct_ids(cells: list[NotebookNode]) -> None:
    from nbformat.corpus.words import generate_corpus_id

    seen: set[str] = set()
    for cell in cells:
        if cell.get("id") in seen or "id" not in cell:
            cell["id"] = generate_corpus_id()
        seen.add(cell["id"])
