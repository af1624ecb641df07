"""The one place where exercises are written: `solutions/NN_topic.py`, percent format.

A cell that begins with the heading `## 02.3 Title` opens an exercise. The cell with
`### BEGIN SOLUTION` … `### END SOLUTION` defines its function. Markdown cells tagged "hint" are its
hints, the mildest first; no notebook contains them.
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
class ExerciseSource:
    """An exercise as it is written.

    Attributes:
        id: For example "02.3".
        title: Its heading.
        hints: The mildest first.
        solution: The code of the cell that defines its function.
    """

    id: str
    title: str
    hints: list[str] = field(default_factory=list)
    solution: str = ""


def folder() -> Path:
    """The folder of the sources: `solutions/` beside the lessons."""
    return notebooks_dir().parent / "solutions"


def sources() -> list[Path]:
    """List the sources of all lessons that have exercises, in order."""
    return sorted(folder().glob("[0-9][0-9]_*.py"))


def cells(source: Path) -> list[NotebookNode]:
    """Read the cells of a source.

    Raises:
        CourseError: The source is not valid Python.
    """
    import jupytext

    text = source.read_text(encoding="utf-8")
    try:
        compile(text, source.name, "exec")
    except SyntaxError as error:
        raise CourseError(
            f"{source}, line {error.lineno} is not valid Python: {error.msg}."
        ) from None
    return jupytext.reads(text, fmt="py:percent").cells


@dataclass(frozen=True)
class Piece:
    """A cell of a source as plain text.

    Attributes:
        markdown: Whether it is a Markdown cell.
        hint: Whether it is a hint.
        text: The text of a Markdown cell or the code of another.
    """

    markdown: bool
    hint: bool
    text: str


def pieces(text: str) -> list[Piece]:
    """Read the cells of a source in percent format without jupytext.

    Importing jupytext takes 0.7 to 2.8 seconds, which is too long to wait for a hint. A test
    compares the two readers on all sources.
    """
    heads = [*MARKER.finditer(text)]
    ends = [*(head.start() for head in heads[1:]), len(text)]
    result = []
    for head, end in zip(heads, ends, strict=True):
        markdown, body = "[markdown]" in head[1], text[head.end() : end].strip("\n")
        if markdown:
            body = COMMENT.sub("", body)
        result.append(Piece(markdown, '"hint"' in head[1], body))
    return result


def is_hint(cell: NotebookNode) -> bool:
    """Whether a cell is a hint, which is shown only to learners who ask for it."""
    return "hint" in cell.metadata.get("tags", [])


def read_exercises(source: Path) -> list[ExerciseSource]:
    """Read the exercises of a source, in order."""
    exercises: list[ExerciseSource] = []
    for piece in pieces(source.read_text(encoding="utf-8")):
        if heading := HEADING.match(piece.text):
            exercises.append(ExerciseSource(heading[1], heading[2].strip()))
        elif exercises and piece.hint:
            exercises[-1].hints.append(piece.text)
        elif exercises and REGION.search(piece.text):
            exercises[-1].solution = solved(piece.text)
    return exercises


def title(exercise: str) -> str:
    """The title of the exercise with this id; empty if its source is not installed."""
    for path in sources():
        text = path.read_text(encoding="utf-8")
        for heading in re.finditer(rf"^# {HEADING.pattern}$", text, re.MULTILINE):
            if heading[1] == exercise:
                return heading[2].strip()
    return ""


def find(exercise: str) -> ExerciseSource:
    """Find the exercise with this id.

    Raises:
        CourseError: Its source is not installed, or has no such exercise.
    """
    paths = [x for x in sources() if x.name[:2] == exercise[:2]]
    candidates = read_exercises(paths[0]) if paths else []
    for candidate in candidates:
        if candidate.id == exercise:
            return candidate
    if not candidates:
        lessons = ", ".join(x.name[:2] for x in sources()) or f"none in {folder()}"
        raise CourseError(f"There is no exercise {exercise}; lessons with exercises: {lessons}.")
    names = ", ".join(x.id for x in candidates)
    raise CourseError(f"There is no exercise {exercise}; lesson {exercise[:2]} has {names}.")


def solved(code: str) -> str:
    """Remove the markers of the solution from a cell."""
    return REGION.sub(lambda region: region[2].rstrip("\n"), code)


def stubbed(code: str) -> str:
    """Replace the solution in a cell by the stub that the learner gets."""
    return REGION.sub(lambda region: f"{region[1]}{STUB}", code)
