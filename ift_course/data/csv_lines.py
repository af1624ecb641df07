"""The lines of a CSV file, read so that one broken row costs no other."""

import codecs
import csv
from collections import deque
from collections.abc import Callable
from typing import Any

from ift_course.data.opening import Opened
from ift_course.data.records import BadRow


class CsvLines:
    """The lines of a CSV file as text, of which those of the row being read can be given back.

    A quote that is never closed swallows the rows behind it. Then only the row in which it was
    opened is bad, and the others are read on their own.
    """

    def __init__(self, opened: Opened, on_read: Callable[[int], None]):
        self._opened, self._on_read = opened, on_read
        self._read = 0
        self._again: deque[str] = deque()
        self._row: list[str] = []

    def __iter__(self) -> "CsvLines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._fresh()
        self._row.append(line)
        return line

    def _fresh(self) -> str:
        raw = next(self._opened.file)
        first = self._read == 0
        self._read += len(raw)
        self._on_read(self._opened.position(self._read))
        raw = raw.removeprefix(codecs.BOM_UTF8) if first else raw
        # Bytes that are no UTF-8 become half characters, which `checked` refuses in their row.
        return raw.decode("utf-8", errors="surrogateescape")

    def peek(self) -> str:
        """The first line, which stays to be read."""
        line = next(self, "")
        self._again.extend(self._row)
        self._row.clear()
        return line

    def new_row(self) -> None:
        self._row.clear()

    def broken(self, error: csv.Error) -> BadRow:
        """What is wrong with the row being read; its lines after the first are read again."""
        lines = len(self._row)
        self._again.extendleft(reversed(self._row[1:]))
        if lines > 1 or "end of data" in str(error):
            return BadRow("not valid CSV: a quotation mark is opened and not closed")
        return BadRow("not valid CSV", str(error))

    def checked(self, row: Any) -> Any:
        """The row, or what is wrong with its bytes."""
        text = "".join(self._row)
        try:
            text.encode()
        except UnicodeEncodeError:
            return not_utf8(text.encode("utf-8", errors="surrogateescape"))
        return row


def delimiter(header: str, kind: str) -> str:
    """A tab in a TSV file, else a comma, or what spreadsheets of other countries write for it."""
    if kind == "TSV":
        return "\t"
    return next((mark for mark in ",;\t" if mark in header), ",")


def not_utf8(raw: bytes) -> BadRow:
    """What to do about bytes that are no UTF-8, which mostly come from an older Windows."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        detail = f"byte {error.start + 1} of it"
    try:
        raw.decode("cp1252")
    except UnicodeDecodeError:
        return BadRow("not UTF-8 text", detail)
    return BadRow(
        "not UTF-8 text but perhaps Windows-1252; save the file as UTF-8, for instance with "
        "`iconv -f CP1252 -t UTF-8 old > new`", detail
    )  # fmt: skip
