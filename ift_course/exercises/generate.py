"""From a source to its two notebooks: the exercises with stubs, and the solutions."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.errors import CourseError
from ift_course.exercises import source as sources
from ift_course.exercises.notebook_files import COLAB, KERNEL, with_colab, write
from ift_course.links import badge

if TYPE_CHECKING:
    from nbformat import NotebookNode

KINDS = ("exercises", "solutions")


def notebook(source: Path, kind: str) -> NotebookNode:
    """The notebook of a source. kind: "exercises" (with stubs) or "solutions".

    Each cell says in its metadata which one it is and what its text was, so that an update can
    tell the learner's work from ours.
    """
    from nbformat.v4 import new_notebook

    cut = sources.stubbed if kind == "exercises" else sources.solved
    kept, section, counts = [], "top", {}
    for cell in with_colab(sources.cells(source)):
        if sources.is_hint(cell):
            continue
        heading = sources.HEADING.match(cell.source)
        section = heading[1] if heading else section
        role = _role(cell)
        counts[section, role] = counts.get((section, role), 0) + 1
        name = f"{section}/{role}" + (f"-{n}" if (n := counts[section, role]) > 1 else "")
        text = cut(cell.source).replace("{{ badge }}", badge(f"{kind}/{source.stem}.ipynb"))
        cell.source, cell.id = text, re.sub(r"[^\w-]", "-", name)
        cell.metadata = {"ift": {"id": name, "hash": fingerprint(text)}}
        kept.append(cell)
    return new_notebook(
        cells=kept, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )


def fingerprint(text: str) -> str:
    """Tells one cell's text from another; blank space at its end does not count."""
    return hashlib.sha256(text.rstrip().encode()).hexdigest()[:12]


def pristine(cell: NotebookNode) -> bool:
    """Whether a cell is as it was generated, or an empty one that an editor added."""
    if not cell["source"].strip() and "ift" not in cell.get("metadata", {}):
        return True
    return cell.get("metadata", {}).get("ift", {}).get("hash") == fingerprint(cell["source"])


def build(source: Path, root: Path) -> list[Path]:
    """Writes both notebooks of a source below `root`; returns those that changed.

    Raises:
        CourseError: a notebook there holds somebody's work; nothing is written then.
    """
    fresh = {root / k / f"{source.stem}.ipynb": notebook(source, k) for k in KINDS}
    for path in fresh:
        refuse_to_overwrite(path)
    return [path for path, made in fresh.items() if _changed(path, made)]


def differs(source: Path, root: Path) -> list[str]:
    """Which notebooks on disk are not the ones of this source, in one sentence each."""
    import nbformat

    problems = []
    for kind in KINDS:
        path = root / kind / f"{source.stem}.ipynb"
        made = notebook(source, kind)
        if not path.exists():
            problems.append(f"{path} is missing")
        elif _content(nbformat.read(path, as_version=4)) != _content(made):
            problems.append(f"{path} is not the one of {source}")
    return problems


def refuse_to_overwrite(path: Path) -> None:
    """Raises CourseError if the notebook at `path` has a cell that was not generated."""
    import nbformat

    if not path.exists():
        return
    try:
        cells = nbformat.read(path, as_version=4).cells
    except Exception:
        raise CourseError(f"{path} is no notebook any more; move it away.") from None
    if all(pristine(cell) for cell in cells):
        return
    raise CourseError(
        f"{path} holds work that is not in {sources.folder()}, so it is left as it is; "
        "`ift update` brings new cells into it."
    )


def _changed(path: Path, made: NotebookNode) -> bool:
    before = path.read_bytes() if path.exists() else b""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(made, path)
    return path.read_bytes() != before


def _content(made: NotebookNode) -> list[tuple]:
    return [(x.cell_type, x.source, x.metadata.get("ift")) for x in made.cells]


def _role(cell: NotebookNode) -> str:
    if sources.HEADING.match(cell.source):
        return "card"
    if sources.REGION.search(cell.source):
        return "stub"
    if cell.source.startswith("ift.check("):
        return "check"
    if cell.source.startswith(COLAB.partition("\n")[0]):
        return "colab"
    return "text" if cell.cell_type == "markdown" else "code"
