"""Rows of a data file, one after the other, in memory that does not grow with the file.

A row that cannot be read is handed on as a `BadRow` in its place, so that whoever counts the rows
counts it too.
"""

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from ift_course.data.records import BadRow
from ift_course.errors import CourseError

ENDINGS = (".jsonl", ".json", ".parquet", ".csv")
LONGEST_CELL = 16 * 2**20  # an unclosed quote would swallow the rest of a CSV file
WINDOW = 2**20  # characters of JSON looked at together; a longer row widens it
BETWEEN = re.compile(r"[\s,]*")
BATCH = 500  # rows of Parquet in memory at once

Numbered = tuple[int, Any]  # a row's number from 1 (in a JSONL file its line) and the row or BadRow


class Rows:
    """The rows of a JSON, JSONL, Parquet or CSV file.

    Iterate to get (number, row). `done` and `size` say how far the reading is, in bytes or rows.
    The kind is decided by what the file holds, not by its name, except CSV.
    """

    def __init__(self, path: str | Path):
        """Raises CourseError when there is no such file, it is empty or of another kind."""
        self.path = Path(path)
        self.done = 0
        head = self._head()
        if head.startswith(b"PAR1"):
            self.kind, self._read, self.size = "Parquet", self._parquet, self._parquet_rows()
            return
        self.size = self.path.stat().st_size
        if self.path.suffix.lower() == ".csv":
            self.kind, self._read = "CSV", self._csv
        elif (start := head.removeprefix(b"\xef\xbb\xbf").lstrip()).startswith(b"["):
            self.kind, self._read = "JSON", self._array
        elif start.startswith(b"{") and _over_many_lines(start):
            self.kind, self._read = "JSON", self._objects
        elif start.startswith(b"{") or self.path.suffix.lower() in (".json", ".jsonl"):
            self.kind, self._read = "JSONL", self._lines
        elif self.path.suffix.lower() == ".parquet":
            raise CourseError(f"{self.path} is not a Parquet file, whatever its name says.")
        else:
            raise CourseError(
                f"{self.path} is neither JSON nor JSONL nor Parquet; name a CSV file .csv."
            )

    def __iter__(self) -> Iterator[Numbered]:
        return self._read()

    def _head(self) -> bytes:
        if self.path.is_dir():
            raise CourseError(f"{self.path} is a folder; give one {_or(ENDINGS)} file.")
        try:
            with self.path.open("rb") as file:
                head = file.read(65536)
        except FileNotFoundError:
            raise CourseError(
                f"There is no file {self.path}; check the name and the folder."
            ) from None
        except OSError as error:
            raise CourseError(f"{self.path} cannot be read ({error.strerror}).") from None
        if not head.strip():
            raise CourseError(f"{self.path} is empty.")
        if head.startswith(b"\x1f\x8b"):
            raise CourseError(f"{self.path} is compressed; unpack it first: gunzip {self.path}")
        return head

    def _lines(self) -> Iterator[Numbered]:
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                self.done += len(line)
                line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if line.strip():
                    yield number, _parsed(line)

    def _array(self) -> Iterator[Numbered]:
        return self._json(array=True)

    def _objects(self) -> Iterator[Numbered]:
        rows = self._json(array=False)
        first, second = next(rows), next(rows, None)
        if second is None:
            raise CourseError(
                f"{self.path.name}, row 1: the file is one JSON object over many lines; "
                "write a list of rows, or one row on each line."
            )
        yield from chain((first, second), rows)

    def _json(self, array: bool) -> Iterator[Numbered]:
        """The rows of an array, or objects one after the other, each over many lines.

        The standard decoder reads one row at a time from a window on the file. (ijson would refuse
        the whole file for one NaN or big number, and turn half a character into a "?".)
        """
        decoder = json.JSONDecoder(parse_int=_integer)
        utf8 = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        number, text, at, line = 0, "", 0, 1
        with self.path.open("rb") as file:

            def broken(why: str) -> CourseError:
                place = f"row {number + 1}, line {line + text.count(chr(10), 0, at)}"
                return CourseError(
                    f"{self.path.name}, {place}: not valid JSON ({why}), and what comes after it "
                    "cannot be found; mend that row, or write one row on each line."
                )

            def more() -> bool:
                nonlocal text, at, line
                line += text.count("\n", 0, at)
                chunk = file.read(max(WINDOW, len(text) - at))
                self.done += len(chunk)
                text, at = text[at:] + utf8.decode(chunk, final=not chunk), 0
                return bool(chunk)

            more()
            if array:
                at = text.index("[") + 1
            while True:
                at = BETWEEN.match(text, at).end()
                if at == len(text):
                    if more():
                        continue
                    if array:
                        raise broken("it ends before its closing bracket")
                    return
                if array and text[at] == "]":
                    if text[at + 1 :].strip() or (more() and text[at + 1 :].strip()):
                        raise broken("there is text after its closing bracket")
                    return
                try:
                    row, end = decoder.raw_decode(text, at)
                except json.JSONDecodeError as error:
                    if len(text) - at < LONGEST_CELL and more():
                        continue
                    raise broken(error.msg.removesuffix(" at")) from None
                except RecursionError:
                    raise broken("lists in lists without end") from None
                if end == len(text) and more():
                    continue  # a number may go on in the next window
                number, at = number + 1, end
                yield number, row

    def _csv(self) -> Iterator[Numbered]:
        csv.field_size_limit(LONGEST_CELL)
        with self.path.open("rb") as raw:
            text = _decoded(raw, self._count)
            reader = csv.reader(text)
            try:
                names = next(reader, [])
            except csv.Error as error:
                raise CourseError(f"{self.path.name}: no header line ({error}).") from None
            number = 0
            while True:
                number += 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield number, BadRow(f"not valid CSV ({error})")
                    continue
                if cells:
                    yield number, _named(names, cells)
                else:
                    number -= 1

    def _count(self, length: int) -> None:
        self.done += length

    def _parquet_rows(self) -> int:
        return self._open_parquet().metadata.num_rows

    def _open_parquet(self):
        import pyarrow
        import pyarrow.parquet

        try:
            return pyarrow.parquet.ParquetFile(self.path, pre_buffer=False)
        except (pyarrow.ArrowException, OSError) as error:
            raise CourseError(
                f"{self.path} is a damaged Parquet file ({_reason(error)})."
            ) from None

    def _parquet(self) -> Iterator[Numbered]:
        import pyarrow

        batches = self._open_parquet().iter_batches(batch_size=BATCH)
        while True:
            try:
                batch = next(batches, None)
            except (pyarrow.ArrowException, OSError) as error:
                raise CourseError(
                    f"{self.path}, row {self.done + 1}: damaged from here on ({_reason(error)})."
                ) from None
            if batch is None:
                return
            for row in _rows_of(batch):
                self.done += 1
                yield self.done, row


def _over_many_lines(start: bytes) -> bool:
    text = start.decode("utf-8", errors="replace")
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):  # longer than this beginning of the file, or broken
        return text.split("\n", 1)[0].strip() == "{"
    return "\n" in text[:end]


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 4000 else float(digits)


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return BadRow(f"not UTF-8 text (byte {error.start} of the line)")
    except json.JSONDecodeError as error:
        return BadRow(f"not valid JSON ({error.msg.removesuffix(' at')} at column {error.colno})")
    except (ValueError, RecursionError) as error:
        return BadRow(f"not readable as JSON ({_reason(error)})")


def _decoded(raw: BinaryIO, count: Callable[[int], None]) -> Iterator[str]:
    for number, line in enumerate(raw):
        count(len(line))
        line = line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
        # Bytes that are no UTF-8 become half characters, which the adapters refuse in their row.
        yield line.decode("utf-8", errors="surrogateescape")


def _named(names: list[str], cells: list[str]) -> dict[str, str] | BadRow:
    if len(cells) > len(names):
        return BadRow(f"{len(cells)} cells, but the header names {len(names)} columns")
    # An empty cell is how CSV says that there is nothing.
    return {name: cell for name, cell in zip(names, cells, strict=False) if cell != ""}


def _rows_of(batch) -> list[Any]:
    try:
        return batch.to_pylist()
    except (ValueError, OverflowError) as error:  # UnicodeDecodeError is one of them
        if batch.num_rows == 1:
            return [BadRow(f"a value cannot be read ({_reason(error)})")]
        return [row for i in range(batch.num_rows) for row in _rows_of(batch.slice(i, 1))]


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")[:120]


def _or(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
