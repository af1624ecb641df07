"""The one place where exercises are written: `solutions/NN_topic.py`, percent format.

A cell that begins with the heading `## 02.3 Title` opens an exercise. The cell with
`### BEGIN SOLUTION` … `### END SOLUTION` defines its function. Markdown cells tagged "hint" are its
hints, the mildest first; they are in no notebook.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.errors import CourseError
from ift_course.exercises.learner import STUB_MESSAGE
from ift_course.paths import notebooks_dir

if TYPE_CHECKING:
    from nbformat import NotebookNode

HEADING = re.compile(r"## (\d\d\.\d+) (.+)")
MARKER = re.compile(r"^# %%(.*)\n", re.MULTILINE)
COMMENT = re.compile(r"^# ?", re.MULTILINE)
REGION = re.compile(r"^( *)### BEGIN SOLUTION\n(.*?)^ *### END SOLUTION$", re.DOTALL | re.MULTILINE)
STUB = f'raise NotImplementedError("{STUB_MESSAGE}")'


@dataclass
class Written:
    """An exercise as it is written: id as "02.3", title, hints and the cell of its solution."""

    id: str
    title: str
    hints: list[str] = field(default_factory=list)
    solution: str = ""


def folder() -> Path:
    """Where the sources are: `solutions/` beside the lessons."""
    return notebooks_dir().parent / "solutions"


def sources() -> list[Path]:
    """The sources of all lessons that have exercises, in order."""
    return sorted(folder().glob("[0-9][0-9]_*.py"))


def cells(source: Path) -> list[NotebookNode]:
    """The cells of a source. Raises CourseError if it is not valid Python."""
    import jupytext

    text = source.read_text(encoding="utf-8")
    try:
        compile(text, source.name, "exec")
    except SyntaxError as error:
        raise CourseError(f"{source}, line {error.lineno} is no Python: {error.msg}.") from None
    return jupytext.reads(text, fmt="py:percent").cells


@dataclass(frozen=True)
class Piece:
    """A cell of a source as plain text: the words of a Markdown cell, or the code of another."""

    markdown: bool
    hint: bool
    text: str


def pieces(text: str) -> list[Piece]:
    """The cells of a source in percent format, read without jupytext.

    Jupytext and what it imports take 0.7 to 2.8 seconds, which is too long to wait for a hint. A
    test compares the two on all sources.
    """
    heads = [*MARKER.finditer(text)]
    ends = [*(head.start() for head in heads[1:]), len(text)]
    found = []
    for head, end in zip(heads, ends, strict=True):
        markdown, body = "[markdown]" in head[1], text[head.end() : end].strip("\n")
        if markdown:
            body = COMMENT.sub("", body)
        found.append(Piece(markdown, '"hint"' in head[1], body))
    return found


def is_hint(cell: NotebookNode) -> bool:
    """Whether a cell is shown only to who asks for a hint."""
    return "hint" in cell.metadata.get("tags", [])


def written(source: Path) -> list[Written]:
    """The exercises of a source, in order."""
    exercises: list[Written] = []
    for piece in pieces(source.read_text(encoding="utf-8")):
        if heading := HEADING.match(piece.text):
            exercises.append(Written(heading[1], heading[2].strip()))
        elif exercises and piece.hint:
            exercises[-1].hints.append(piece.text)
        elif exercises and REGION.search(piece.text):
            exercises[-1].solution = solved(piece.text)
    return exercises


def title(exercise: str) -> str:
    """The title of the exercise of this id; empty if its source is not here."""
    for path in sources():
        text = path.read_text(encoding="utf-8")
        for found in re.finditer(rf"^# {HEADING.pattern}$", text, re.MULTILINE):
            if found[1] == exercise:
                return found[2].strip()
    return ""


def find(exercise: str) -> Written:
    """The exercise of this id. Raises CourseError if its source is not here or has no such one."""
    here = [x for x in sources() if x.name[:2] == exercise[:2]]
    known = written(here[0]) if here else []
    for candidate in known:
        if candidate.id == exercise:
            return candidate
    if not known:
        lessons = ", ".join(x.name[:2] for x in sources()) or f"none in {folder()}"
        raise CourseError(f"There is no exercise {exercise}; lessons with exercises: {lessons}.")
    names = ", ".join(x.id for x in known)
    raise CourseError(f"There is no exercise {exercise}; lesson {exercise[:2]} has {names}.")


def solved(code: str) -> str:
    """The cell without the marks of the solution."""
    return REGION.sub(lambda region: region[2].rstrip("\n"), code)


def stubbed(code: str) -> str:
    """The cell as the learner gets it: the solution is cut out."""
    return REGION.sub(lambda region: f"{region[1]}{STUB}", code)
