"""Rows of CSV and TSV files, read so that one broken row does not cost another."""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ift_course.data.records import BadRow, NumberedRow
from ift_course.data.text_file import TextFile, not_utf8, short_reason
from ift_course.errors import CourseError

MAX_CELL = 16 * 2**20  # characters; an unclosed quotation mark would swallow the rest of the file


def csv_rows(path: Path, kind: str, on_read: Callable[[int], None]) -> Iterator[NumberedRow]:
    """The rows of a CSV or TSV file, as dicts of its columns.

    Args:
        path: the file.
        kind: "CSV" or "TSV".
        on_read: is called with the position in the file, in bytes.

    Raises:
        CourseError: the header cannot be read.
    """
    csv.field_size_limit(MAX_CELL)
    with TextFile(path) as file:
        lines = _Lines(file, on_read)
        delimiter = detect_delimiter(lines.peek(), kind)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            columns = next(reader, [])
        except csv.Error as error:
            raise CourseError(f"{path.name}: no header line ({short_reason(error)}).") from None
        number = 0
        while True:
            lines.start_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                number += 1
                yield number, lines.bad_row(error)
                continue
            if cells:
                number += 1
                yield number, lines.checked(_with_names(columns, cells))


class _Lines:
    """The lines of a file as text; those of the current row can be read a second time.

    A quotation mark that is never closed swallows the rows behind it. Only the row that opened it
    is bad, so the lines after its first are read again, on their own.
    """

    def __init__(self, file: TextFile, on_read: Callable[[int], None]):
        self._file, self._on_read = file, on_read
        self._bytes_read = 0
        self._pending: deque[str] = deque()
        self._row: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._pending.popleft() if self._pending else self._next_line()
        self._row.append(line)
        return line

    def _next_line(self) -> str:
        raw: bytes = next(self._file.stream)
        is_first = self._bytes_read == 0
        self._bytes_read += len(raw)
        self._on_read(self._file.position(self._bytes_read))
        raw = raw.removeprefix(codecs.BOM_UTF8) if is_first else raw
        # Bytes that are not UTF-8 become lone surrogates, which `checked` refuses in their row.
        return raw.decode("utf-8", errors="surrogateescape")

    def peek(self) -> str:
        """The first line, which will still be read."""
        line = next(self, "")
        self._pending.extend(self._row)
        self._row.clear()
        return line

    def start_row(self) -> None:
        """Forget the lines of the last row."""
        self._row.clear()

    def bad_row(self, error: csv.Error) -> BadRow:
        """Explain what is wrong with the current row; its lines after the first are read again."""
        n_lines = len(self._row)
        self._pending.extendleft(reversed(self._row[1:]))
        if n_lines > 1 or "end of data" in str(error):
            return BadRow("not valid CSV: a quotation mark is opened and not closed")
        return BadRow("not valid CSV", str(error))

    def checked(self, row: dict[str, str] | BadRow) -> dict[str, str] | BadRow:
        """The row, or a BadRow when its bytes are not UTF-8."""
        text = "".join(self._row)
        try:
            text.encode()
        except UnicodeEncodeError:
            return not_utf8(text.encode("utf-8", errors="surrogateescape"))
        return row


def detect_delimiter(header: str, kind: str) -> str:
    """The delimiter: a tab in TSV, otherwise a comma, or what European spreadsheets write."""
    if kind == "TSV":
        return "\t"
    return next((mark for mark in ",;\t" if mark in header), ",")


def _with_names(columns: list[str], cells: list[str]) -> dict[str, Any] | BadRow:
    if len(cells) > len(columns):
        return BadRow(f"{len(cells)} cells, but the header names {len(columns)} columns")
    # An empty cell is how CSV writes a missing value.
    return {name: cell for name, cell in zip(columns, cells, strict=False) if cell != ""}
