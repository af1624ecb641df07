"""The questions of a test file, which need no answer to be searched for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ift_course.data.files import Rows
from ift_course.data.reading import PROGRESS_ROWS, parsed_rows
from ift_course.data.records import BadRow, Record
from ift_course.data.schemas import ParsedRow, parse_row
from ift_course.diagnosis.case import OnRows
from ift_course.errors import CourseError

ANSWER_COLUMNS = ("output", "completion", "response", "answer", "targets")
NO_ANSWER = "(the test file has no answer)"


def read_test(path: Path, on_rows: OnRows | None = None) -> list[Record]:
    """Read the records of a test file; a row without an answer gets NO_ANSWER.

    Args:
        path: the file, in any layout that `ift data inspect` reads, with or without answers.
        on_rows: is called with the progress of the reading.

    Raises:
        CourseError: the file cannot be read, has no rows, or a row has no question.
    """
    rows, records = Rows(path), []
    for n_read, (number, original, result) in enumerate(parsed_rows(rows), 1):
        if isinstance(result, BadRow):
            records.append(_without_answer(path, number, original, result))
        elif isinstance(result, ParsedRow):
            records.append(result.record)
        if on_rows and n_read % PROGRESS_ROWS == 0:
            on_rows(rows, n_read)
    if not records:
        raise CourseError(f"{path} has no rows; it needs at least one question.")
    return records


def _without_answer(path: Path, number: int, row: Any, reason: BadRow) -> Record:
    for candidate in _answered(row):
        try:
            return parse_row(candidate, f"{path.name}, row {number}").record
        except BadRow:
            continue
    raise CourseError(
        f"{path.name}, row {number}: {reason}. Give --test a file whose rows have a question, or "
        "delete that row."
    )


def _answered(row: Any) -> list[Mapping[str, Any]]:
    """The row with NO_ANSWER in each place where an answer may be missing."""
    if not isinstance(row, Mapping):
        return []
    answered: list[Mapping[str, Any]] = [
        {**row, name: NO_ANSWER} for name in ANSWER_COLUMNS if not row.get(name)
    ]
    messages = row.get("messages")
    if isinstance(messages, list):
        answered.append({**row, "messages": [*messages, _TURN]})
    return answered


_TURN = {"role": "assistant", "content": NO_ANSWER}
