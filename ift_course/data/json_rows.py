"""Rows of JSON files: an object on each line, or an array or objects that span lines."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ift_course.data.records import BadRow, NumberedRow
from ift_course.data.text_file import TextFile, not_utf8, short_reason
from ift_course.errors import CourseError

WINDOW = 2**20  # characters that are decoded at a time; a longer row widens the window
MAX_ROW = 16 * 2**20  # characters after which a row is taken to be broken, not just long
MAX_DIGITS = 4000  # Python refuses to convert longer integers
SEPARATORS = re.compile(r"[\s,]*")

OnRead = Callable[[int], None]  # is called with the position in the file, in bytes


def json_line_rows(path: Path, on_read: OnRead) -> Iterator[NumberedRow]:
    """The rows of a JSONL file; a row's number is that of its line."""
    bytes_read = 0
    with TextFile(path) as file:
        for number, line in enumerate(file.stream, 1):
            bytes_read += len(line)
            on_read(file.position(bytes_read))
            line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if line.strip():
                yield number, _parse_line(line)


def json_array_rows(path: Path, on_read: OnRead) -> Iterator[NumberedRow]:
    """The items of the array that a file consists of.

    Raises:
        CourseError: an item is not JSON, the array has no end, or text follows it.
    """
    with TextFile(path) as file:
        stream = _JsonStream(file, path.name, on_read)
        stream.enter_array()
        while not stream.at_array_end():
            row = stream.decode_value()
            yield stream.n_values, row


def json_object_rows(path: Path, on_read: OnRead) -> Iterator[NumberedRow]:
    """The JSON objects of a file, one after the other, each of which may span lines.

    Raises:
        CourseError: an object is not JSON.
    """
    with TextFile(path) as file:
        stream = _JsonStream(file, path.name, on_read)
        while stream.skip_separators():
            row = stream.decode_value()
            yield stream.n_values, row


class _JsonStream:
    """JSON values of a file, decoded one at a time from a window of its text.

    The standard library's decoder sees one window and not the whole file, so memory does not grow
    with the file. (ijson, made for this purpose, would refuse the whole file for one NaN or big
    number, and turn a lone surrogate into "?".)

    Attributes:
        n_values: how many values were decoded.
    """

    def __init__(self, file: TextFile, name: str, on_read: OnRead):
        self._file, self._name, self._on_read = file, name, on_read
        self._decoder = json.JSONDecoder(parse_int=_parse_integer)
        self._utf8 = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self._bytes_read = 0
        self._window = ""
        self._index = 0  # in the window, of the next character
        self._line = 1  # of the window's first character
        self.n_values = 0
        self._read_more()

    def enter_array(self) -> None:
        """Skip the bracket that opens the array."""
        self._index = self._window.index("[") + 1

    def at_array_end(self) -> bool:
        """Whether the next character closes the array, after which the file must end."""
        if not self.skip_separators():
            raise self._error("it ends before its closing bracket")
        if self._window[self._index] != "]":
            return False
        if self._follows_text() or (self._read_more() and self._follows_text()):
            raise self._error("there is text after its closing bracket")
        return True

    def _follows_text(self) -> bool:
        return bool(self._window[self._index + 1 :].strip())

    def skip_separators(self) -> bool:
        """Move to the next character that is neither white space nor a comma; False at the end."""
        while True:
            match = SEPARATORS.match(self._window, self._index)
            self._index = match.end() if match else self._index
            if self._index < len(self._window):
                return True
            if not self._read_more():
                return False

    def decode_value(self) -> Any:
        """Decode the next value; the window widens until the value is complete."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._window, self._index)
            except json.JSONDecodeError as error:
                if len(self._window) - self._index < MAX_ROW and self._read_more():
                    continue
                raise self._error(error.msg.removesuffix(" at")) from None
            except RecursionError:
                raise self._error("it is nested too deeply") from None
            # A number at the end of the window may continue in the next one.
            if end == len(self._window) and self._read_more():
                continue
            self._index = end
            self.n_values += 1
            return value

    def _read_more(self) -> bool:
        """Drop what was decoded and append the next piece of the file; False at its end."""
        self._line += self._window.count("\n", 0, self._index)
        chunk: bytes = self._file.stream.read(max(WINDOW, len(self._window) - self._index))
        self._bytes_read += len(chunk)
        self._on_read(self._file.position(self._bytes_read))
        text = self._utf8.decode(chunk, final=not chunk)
        self._window, self._index = self._window[self._index :] + text, 0
        return bool(chunk)

    def _error(self, fault: str) -> CourseError:
        line = self._line + self._window.count("\n", 0, self._index)
        return CourseError(
            f"{self._name}, row {self.n_values + 1}, line {line}: not valid JSON ({fault}), so "
            "the rows after it cannot be found; fix that row, or write one row on each line."
        )


def spans_lines(head: bytes) -> bool:
    """Whether the object at the beginning of a file is written over several lines.

    Args:
        head: the first bytes of the file.
    """
    text = head.decode("utf-8", errors="replace")
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):  # longer than the head, or broken
        return text.split("\n", 1)[0].strip() == "{"
    return "\n" in text[:end]


def _parse_integer(digits: str) -> int | float:
    return int(digits) if len(digits) < MAX_DIGITS else float(digits)


def _parse_line(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return not_utf8(line)
    except json.JSONDecodeError as error:
        return BadRow("not valid JSON", f"{error.msg.removesuffix(' at')} at column {error.colno}")
    except (ValueError, RecursionError) as error:
        return BadRow("not readable as JSON", short_reason(error))
