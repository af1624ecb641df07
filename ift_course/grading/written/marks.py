"""The markers' files: one row for each answer and criterion, into which a marker writes points."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.exercises.written import STEP
from ift_course.grading.csv_rows import read_rows
from ift_course.grading.reports.tables import csv_text
from ift_course.grading.written.entries import WRITTEN
from ift_course.grading.written.sheet import CODE

if TYPE_CHECKING:
    from pathlib import Path

    from ift_course.exercises.written import Criterion
    from ift_course.grading.written.sheet import AnswerSheet

COLUMNS = ["student", "question", "criterion", "of", "points", "comment"]
GIVEN = "given"  # a further column of the file for a third look
NEEDED = frozenset({"student", "question", "criterion", "points"})
NAME = re.compile(r"[\w-]{1,40}")

Key = tuple[str, str]  # the code of an answer and the id of a criterion


@dataclass
class Mark:
    """What one marker gives for one criterion of one answer."""

    points: float
    comment: str = ""


@dataclass
class MarksFile:
    """One marker's file.

    Attributes:
        marker: The name in the file's name.
        marks: By answer and criterion; all criteria of an answer, or none.
        unmarked: The codes of answers without any points.
        past: How many rows are about answers that have since been handed in again.
        third_look: Whether its points decide where the other markers differ.
    """

    marker: str
    marks: dict[Key, Mark] = field(default_factory=dict)
    unmarked: list[str] = field(default_factory=list)
    past: int = 0
    third_look: bool = False


def file_of(out: Path, marker: str) -> Path:
    """The file of a marker in the folder of a gradebook.

    Raises:
        CourseError: The name cannot be part of a file's name.
    """
    if not NAME.fullmatch(marker):
        raise CourseError(f"{marker!r} is no name for a marker's file; use letters and digits.")
    return out / WRITTEN / f"marks-{marker}.csv"


def write(path: Path, sheet: AnswerSheet, given: dict[Key, str] | None = None) -> int:
    """Writes a marker's file. Points and comments that are in it already stay.

    Args:
        path: Of the file.
        sheet: The answers.
        given: For a third look: what the others gave, for the criteria to look at alone.

    Returns:
        How many rows already have points.
    """
    before = _written_rows(path) if path.is_file() else {}
    rows = []
    for question in sheet.questions:
        for code in sheet.of(question.id):
            for criterion in question.rubric:
                key = code, criterion.id
                if given is not None and key not in given:
                    continue
                points, comment = before.pop((code, criterion.id), ("", ""))
                row = [sheet.label(code), question.id, criterion.id, criterion.points, points,
                       comment]  # fmt: skip
                rows.append(row + ([given[key]] if given is not None else []))
    head = COLUMNS + ([GIVEN] if given is not None else [])
    text = csv_text(head, rows)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        _keep(path, before)
        atomic_write_text(path, text)
    return sum(1 for row in rows if row[4])


def _written_rows(path: Path) -> dict[Key, tuple[str, str]]:
    """The points and comments in a file, as they stand there."""
    rows = {}
    for number, row in read_rows(path, NEEDED):
        code = CODE.search(row["student"])
        if (row["points"] or row.get("comment")) and not code:
            raise CourseError(f"{path}, row {number}: {row['student']!r} is no answer's code.")
        if code and (row["points"] or row.get("comment")):
            rows[code[0], row["criterion"]] = row["points"], row.get("comment", "")
    return rows


def _keep(path: Path, rows: dict[Key, tuple[str, str]]) -> None:
    """Keeps what was written about answers that are no longer there, in a file beside."""
    if rows:
        old = path.with_suffix(".old.csv")
        lines = [[*key, *values] for key, values in rows.items()]
        text = csv_text(["student", "criterion", "points", "comment"], lines)
        atomic_write_text(old, (old.read_text(encoding="utf-8") if old.is_file() else "") + text)


def read(path: Path, sheet: AnswerSheet) -> MarksFile:
    """Reads and checks a marker's file.

    Args:
        path: Of the file.
        sheet: The answers that are marked.

    Raises:
        CourseError: A row is wrong or missing; the sentence names the first one, and how many more.
    """
    result = MarksFile(path.stem.removeprefix("marks-"))
    empty: dict[Key, int] = {}
    problems: list[str] = []
    for number, row in read_rows(path, NEEDED):
        result.third_look = result.third_look or GIVEN in row
        try:
            _take(result, empty, row, number, sheet)
        except ValueError as problem:
            problems.append(f"{path}, row {number}: {problem}")
    if not problems:
        problems = _left_out(path, result, empty, sheet)
    if problems:
        more = f" ({len(problems) - 1} more like this.)" if len(problems) > 1 else ""
        raise CourseError(problems[0] + more)
    return result


def _take(
    result: MarksFile, empty: dict[Key, int], row: dict[str, str], number: int, sheet: AnswerSheet
) -> None:
    """Adds one row; a ValueError says what is wrong with it."""
    code = CODE.search(row["student"].upper())
    if not code or code[0] not in {*sheet.answers, *sheet.past}:
        raise ValueError(f"no answer has the code {row['student']!r}; copy it from the page.")
    if code[0] in sheet.past:
        result.past += bool(row["points"])
        return
    answer = sheet.answers[code[0]]
    if row["question"] != answer.question:
        raise ValueError(f"{code[0]} answers {answer.question}, not {row['question']!r}; mend it.")
    question = next(x for x in sheet.questions if x.id == answer.question)
    criteria = {x.id: x for x in question.rubric}
    if row["criterion"] not in criteria:
        known = ", ".join(criteria)
        raise ValueError(f"{answer.question} has no criterion {row['criterion']!r}, but {known}.")
    key = code[0], row["criterion"]
    if key in result.marks or key in empty:
        raise ValueError(f"{code[0]} and {key[1]} are there twice; delete one of the rows.")
    if not row["points"]:
        empty[key] = number
        return
    points = _points(row["points"], criteria[key[1]])
    result.marks[key] = Mark(points, row.get("comment", ""))


def _points(text: str, criterion: Criterion) -> float:
    try:
        points = float(text.replace(",", "."))
    except ValueError:
        points = math.nan
    if not math.isfinite(points):
        raise ValueError(f"{text!r} is not a number of points; write one, such as {STEP}.")
    if not 0 <= points <= criterion.points:
        raise ValueError(
            f"{criterion.id} is worth 0 to {criterion.points:g} points, not {points:g}; change it."
        )
    if points % STEP:
        raise ValueError(f"{points:g} is not a multiple of {STEP:g}; round it.")
    return points


def _left_out(
    path: Path, result: MarksFile, empty: dict[Key, int], sheet: AnswerSheet
) -> list[str]:
    """What is missing in answers that are marked in part; notes those not marked at all."""
    problems = []
    for question in sheet.questions:
        for code in sheet.of(question.id):
            keys = [(code, criterion.id) for criterion in question.rubric]
            if not any(key in result.marks for key in keys):
                result.unmarked.append(code)
                continue
            for key in keys:
                if key in empty:
                    problems.append(
                        f"{path}, row {empty[key]}: {code} has no points for {key[1]}; write 0 if "
                        "it earns none."
                    )
                elif key not in result.marks and not result.third_look:
                    problems.append(
                        f"{path} has no row for {code}, {question.id}, {key[1]}; add one with the "
                        "points."
                    )
    return problems
