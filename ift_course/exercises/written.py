"""Open questions: `lessons/lesson_NN/written.yaml`, answered in a cell of the exercise notebook.

A file is a list of questions. People mark the answers with the rubric; no program does:

    - id: 03.w1                      # lesson, "w", and a number
      title: A plan for a clinic
      level: ●●●
      minutes: 40
      ask: |                         # Markdown
        A clinic wants a model that ...
      rubric:                        # each criterion is worth its points, in half-point steps
        - id: counts-flaws           # unique in its question
          points: 2
          says: Reads a sample, and counts the flaws by kind before deciding.
      answer: |                      # a model answer, for the marker and the solution notebook
        ...

In `solutions/NN_topic.py` a Markdown cell with `{{ written 03.w1 }}` stands for the question. The
exercise notebook has a cell below it for the answer, which the grader finds by its first line.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from ift_course.errors import CourseError
from ift_course.exercises import notebook_json, source
from ift_course.exercises.notebook_cells import Unreadable, utf8
from ift_course.paths import PACKAGE

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from typing_extensions import Self

PLACEHOLDER = "*Double-click this cell, and replace this line with your answer.*"
PLACE = re.compile(r"\s*\{\{ written (\d\d\.w\d+) \}\}\s*")
HEADING = re.compile(r"## (\d\d\.w\d+) (.+)")
MARKER = re.compile(r"<!--\s*ift:\s*answer\s+(\d\d\.w\d+)\b.*?-->", re.DOTALL)
SIGN = b"ift: answer"  # in every file with an answer cell, whatever its JSON escapes
STEP = 0.5  # markers give whole and half points

Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Criterion(_Strict):
    """One line of a rubric."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    points: Annotated[float, Field(gt=0, multiple_of=STEP)]
    says: Text


class WrittenQuestion(_Strict):
    """An open question.

    Attributes:
        id: For example "03.w1".
        title: Its heading.
        level: One to three filled circles.
        minutes: How long an answer takes.
        ask: The question, in Markdown.
        rubric: The criteria.
        answer: A model answer, in Markdown.
    """

    id: Annotated[str, Field(pattern=r"^\d\d\.w\d+$")]
    title: Text
    level: Annotated[str, Field(pattern=r"^[●○]{3}$")]
    minutes: Annotated[int, Field(gt=0)]
    ask: Text
    rubric: Annotated[list[Criterion], Field(min_length=2)]
    answer: Text

    @model_validator(mode="after")
    def _distinct_criteria(self) -> Self:
        if len({x.id for x in self.rubric}) < len(self.rubric):
            raise ValueError("two criteria of the rubric have one id")
        return self

    @property
    def lesson(self) -> str:
        """The lesson's number."""
        return self.id[:2]

    @property
    def points(self) -> float:
        """What a full answer is worth."""
        return sum(x.points for x in self.rubric)


class WrittenAnswer(NamedTuple):
    """What stands in one answer cell.

    Attributes:
        question: The id of the question.
        text: Without the marker and the placeholder; empty if nothing was written.
    """

    question: str
    text: str


def questions(lesson: str | None = None) -> list[WrittenQuestion]:
    """List the open questions of one lesson, or of all that have any, in order.

    Raises:
        CourseError: A file breaks the format.
    """
    paths = sorted((PACKAGE / "lessons").glob(f"lesson_{lesson or '*'}/written.yaml"))
    return [question for path in paths for question in _read(path)]


def find(name: str) -> WrittenQuestion:
    """Find the question with this id.

    Raises:
        CourseError: There is none; the sentence lists all of them.
    """
    known = {x.id: x for x in questions()}
    if name not in known:
        raise CourseError(f"There is no open question {name}; there are {', '.join(known)}.")
    return known[name]


@cache
def _read(path: Path) -> tuple[WrittenQuestion, ...]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        result = TypeAdapter(tuple[WrittenQuestion, ...]).validate_python(content)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", error)
        raise CourseError(f"{path}{line} is not YAML: {problem}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = " → ".join(str(x + 1) if isinstance(x, int) else x for x in first["loc"])
        raise CourseError(f"{path}, question {place}: {first['msg']}.") from None
    number = path.parent.name.removeprefix("lesson_")
    if strangers := [x.id for x in result if x.lesson != number]:
        raise CourseError(f"{path} is of lesson {number}, and {strangers[0]} is not; rename it.")
    return result


def question_text(question: WrittenQuestion) -> str:
    """The Markdown of a question with its rubric, as learners read it."""
    rubric = "\n".join(f"- {x.says} ({x.points:g})" for x in question.rubric)
    return (
        f"## {question.id} {question.title}\n\n"
        f"{question.level} · {question.minutes} minutes · in words\n\n{question.ask}\n\n"
        "People mark this exercise; there is no check. Answer in the next cell, and open the "
        "rubric only then.\n\n"
        f"<details><summary>Rubric ({question.points:g} points)</summary>\n\n{rubric}\n</details>"
    )


def answer_text(question: WrittenQuestion) -> str:
    """The Markdown of the cell in which a learner writes."""
    return f"<!-- ift: answer {question.id}; keep this line -->\n{PLACEHOLDER}"


def expanded(cells: list[NotebookNode], kind: str) -> list[NotebookNode]:
    """Replace each `{{ written ... }}` by its question and the cell for the answer.

    Args:
        cells: Of a source.
        kind: "exercises", with a cell to write in, or "solutions", with the model answer.
    """
    from nbformat.v4 import new_markdown_cell

    result = []
    for cell in cells:
        place = PLACE.fullmatch(cell.source)
        if not place:
            result.append(cell)
            continue
        question = find(place[1])
        below = answer_text(question)
        if kind == "solutions":
            below = f"**A model answer.** Others are as good.\n\n{question.answer}"
        result += [new_markdown_cell(question_text(question)), new_markdown_cell(below)]
    return result


def answers(markdown: list[str]) -> list[WrittenAnswer]:
    """The answers in the Markdown cells of a notebook.

    Args:
        markdown: The text of each Markdown cell.

    Returns:
        One for each marker. An answer reaches to the next marker or the end of its cell.
    """
    result: dict[str, list[str]] = {}
    for text in markdown:
        marks: list[Any] = [*MARKER.finditer(text)]
        ends = [*(mark.start() for mark in marks[1:]), len(text)][: len(marks)]
        for number, (mark, end) in enumerate(zip(marks, ends, strict=True)):
            above = text[: mark.start()] if number == 0 else ""  # written above the line
            below = text[mark.end() : end].replace(PLACEHOLDER, "")
            body = "\n\n".join(x for x in (above.strip(), below.strip()) if x)
            result.setdefault(mark[1], []).append(body)
    return [WrittenAnswer(key, "\n\n".join(filter(None, x))) for key, x in result.items()]


def answers_in(data: bytes, name: str) -> list[WrittenAnswer]:
    """The answers in a notebook or in a script of Jupytext's percent format.

    Args:
        data: The whole file.
        name: The file's name.
    """
    wide = b"\0" in data[:8]  # UTF-16 and UTF-32 have zeros between the letters
    if SIGN not in (data.replace(b"\0", b"") if wide else data):
        return []
    try:
        data = utf8(data)
        if data.lstrip().startswith(b"{"):
            return answers(notebook_json.markdown_cells(data))
    except (Unreadable, notebook_json.Malformed):
        return []
    if not name.lower().endswith((".py", ".py.txt")):
        return []
    pieces = source.pieces(data.decode(errors="replace"))
    return answers([piece.text for piece in pieces if piece.markdown])
