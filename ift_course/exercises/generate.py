"""Generate the two notebooks of a source: the exercises with stubs, and the solutions."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.errors import CourseError
from ift_course.exercises import source as sources
from ift_course.exercises import written
from ift_course.exercises.notebook_files import COLAB, KERNEL, with_colab, write
from ift_course.links import badge

if TYPE_CHECKING:
    from nbformat import NotebookNode

KINDS = ("exercises", "solutions")


def notebook(source: Path, kind: str) -> NotebookNode:
    """Generate a notebook of a source.

    The metadata of each cell has its name and the hash of its text, so that an update can tell the
    learner's work from ours.

    Args:
        source: The path in `solutions/`.
        kind: "exercises" (with stubs) or "solutions".
    """
    from nbformat.v4 import new_notebook

    cut = sources.stubbed if kind == "exercises" else sources.solved
    cells, section = [], "top"
    counts: dict[tuple[str, str], int] = {}
    for cell in written.expanded(with_colab(sources.cells(source)), kind):
        if sources.is_hint(cell):
            continue
        heading = sources.HEADING.match(cell.source) or written.HEADING.match(cell.source)
        section = heading[1] if heading else section
        role = _role(cell)
        counts[section, role] = counts.get((section, role), 0) + 1
        name = f"{section}/{role}" + (f"-{n}" if (n := counts[section, role]) > 1 else "")
        text = cut(cell.source).replace("{{ badge }}", badge(f"{kind}/{source.stem}.ipynb"))
        cell.source, cell.id = text, re.sub(r"[^\w-]", "-", name)
        cell.metadata = {"ift": {"id": name, "hash": fingerprint(text)}}
        cells.append(cell)
    return new_notebook(
        cells=cells, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )


def fingerprint(text: str) -> str:
    """The hash of a cell's text; whitespace at its end does not count."""
    return hashlib.sha256(text.rstrip().encode()).hexdigest()[:12]


def pristine(cell: NotebookNode) -> bool:
    """Whether a cell is unchanged since it was generated, or an empty one added by an editor."""
    if not cell["source"].strip() and "ift" not in cell.get("metadata", {}):
        return True
    return cell.get("metadata", {}).get("ift", {}).get("hash") == fingerprint(cell["source"])


def build(source: Path, root: Path) -> list[Path]:
    """Write both notebooks of a source below `root`; return those that changed.

    Raises:
        CourseError: A notebook there contains somebody's work. Nothing is written then.
    """
    fresh = {root / k / f"{source.stem}.ipynb": notebook(source, k) for k in KINDS}
    for path in fresh:
        refuse_to_overwrite(path)
    return [path for path, generated in fresh.items() if _changed(path, generated)]


def differs(source: Path, root: Path) -> list[str]:
    """List the notebooks on disk that are not the ones of this source, in one sentence each."""
    import nbformat

    problems = []
    for kind in KINDS:
        path = root / kind / f"{source.stem}.ipynb"
        generated = notebook(source, kind)
        if not path.exists():
            problems.append(f"{path} is missing")
        elif _content(nbformat.read(path, as_version=4)) != _content(generated):
            problems.append(f"{path} is not the notebook of {source}")
    return problems


def refuse_to_overwrite(path: Path) -> None:
    """Refuse to overwrite a notebook with a cell that was not generated.

    Raises:
        CourseError: The notebook at `path` has such a cell, or is not a notebook.
    """
    import nbformat

    if not path.exists():
        return
    try:
        cells = nbformat.read(path, as_version=4).cells
    except Exception:
        raise CourseError(f"{path} is no longer a notebook; move it away.") from None
    if all(pristine(cell) for cell in cells):
        return
    raise CourseError(
        f"{path} contains work that is not in {sources.folder()}, so it is left unchanged; "
        "`ift update` adds new cells to it."
    )


def _changed(path: Path, generated: NotebookNode) -> bool:
    """Write a notebook; return whether the file changed."""
    before = path.read_bytes() if path.exists() else b""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(generated, path)
    return path.read_bytes() != before


def _content(notebook: NotebookNode) -> list[tuple]:
    return [(x.cell_type, x.source, x.metadata.get("ift")) for x in notebook.cells]


def _role(cell: NotebookNode) -> str:
    """The part of a cell's name that says what it is for."""
    if sources.HEADING.match(cell.source) or written.HEADING.match(cell.source):
        return "card"
    if written.MARKER.match(cell.source):
        return "answer"
    if sources.REGION.search(cell.source):
        return "stub"
    if cell.source.startswith("ift.check("):
        return "check"
    if cell.source.startswith(COLAB.partition("\n")[0]):
        return "colab"
    return "text" if cell.cell_type == "markdown" else "code"
