"""The code cells, and the text of the Markdown cells, in the bytes of a notebook.

Outputs are skipped, never parsed: they may be hundreds of megabytes, and no check reads them. The
scan is one pass, linear in the size of the file, and stops at a fixed number of steps.
"""

import json
import re
from collections.abc import Callable
from json.decoder import scanstring  # pyright: ignore[reportAttributeAccessIssue] (no stub)
from typing import NamedTuple

MOST_STEPS = 6_000_000  # strings and brackets; about four seconds
MOST_CODE = 16 << 20  # bytes of all cells together
SMALL_METADATA = 2000  # bytes per cell; the course's own entries are short
BRACKETS = re.compile(r'["\[\]{}]')
SCALAR = re.compile(r"[^\s,\[\]{}\"]+")
SPACE = re.compile(r"[ \t\r\n]*")


class CodeCell(NamedTuple):
    """A code cell.

    Attributes:
        number: Counted from 1 among all cells.
        source: Its text.
        stamp: The hash of the text with which the course generated it; empty if it did not.
    """

    number: int
    source: str
    stamp: str = ""


class Malformed(ValueError):
    """The bytes are not the JSON of a notebook; the text is one sentence for a person."""


def code_cells(data: bytes) -> list[CodeCell]:
    """Read the code cells of a notebook, version 4 or older.

    Args:
        data: The file, in UTF-8.

    Returns:
        The code cells in order.

    Raises:
        Malformed: The file is not JSON, or holds no list of cells.
    """
    # Latin-1 is one character a byte, so that the scan works on positions in the file.
    return _Scan(data.decode("latin-1")).notebook()


def markdown_cells(data: bytes) -> list[str]:
    """Read the texts of the Markdown cells of a notebook, in order.

    Args:
        data: The file, in UTF-8.

    Raises:
        Malformed: The file is not JSON, or holds no list of cells.
    """
    scan = _Scan(data.decode("latin-1"))
    scan.notebook()
    return scan.markdown


class _Scan:
    """One pass over a notebook. A position is that of the first character not yet read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._steps = 0
        self._code = 0
        self._count = 0
        self._cells: list[CodeCell] = []
        self._has_cells = False
        self.markdown: list[str] = []

    def notebook(self) -> list[CodeCell]:
        start = self._space(0)
        if self._character(start) != "{":
            raise Malformed("The file is JSON but not a notebook: it has no cells.")
        self._object(start, self._top_level)
        if not self._has_cells:
            raise Malformed("The file is JSON but not a notebook: it has no cells.")
        return self._cells

    def _top_level(self, key: str, start: int) -> int:
        if key not in ("cells", "worksheets") or self._character(start) != "[":
            return self._skip(start)
        self._cells, self._count, self._has_cells = [], 0, True
        return self._array(start, self._cell if key == "cells" else self._worksheet)

    def _worksheet(self, start: int) -> int:
        """The layout of version 3: cells in a list of sheets."""

        def member(key: str, start: int) -> int:
            cells = key == "cells" and self._character(start) == "["
            return self._array(start, self._cell) if cells else self._skip(start)

        return self._object(start, member) if self._character(start) == "{" else self._skip(start)

    def _cell(self, start: int) -> int:
        if self._character(start) == "<":
            raise self._broken(start)
        if self._character(start) != "{":
            raise Malformed("The file is JSON but not a notebook: one of its cells is not a cell.")
        self._count += 1
        values: dict[str, object] = {}

        def member(key: str, start: int) -> int:
            end = self._skip(start)
            small = key == "metadata" and end - start < SMALL_METADATA
            if small or key in ("cell_type", "source", "input"):
                values[key] = self._value(start, end)
            return end

        end = self._object(start, member)
        if values.get("cell_type") == "code":
            source = _source(values.get("source", values.get("input")))
            self._cells.append(CodeCell(self._count, source, _stamp(values.get("metadata"))))
        elif values.get("cell_type") == "markdown" and _is_text(values.get("source")):
            self.markdown.append(_source(values["source"]))
        return end

    def _value(self, start: int, end: int) -> object:
        self._code += end - start
        if self._code > MOST_CODE:
            raise Malformed(f"The cells have more than {MOST_CODE >> 20} MB of code.")
        try:
            return json.loads(self._text[start:end].encode("latin-1"))
        except UnicodeDecodeError:
            raise Malformed("The code is not text in UTF-8; save the notebook as UTF-8.") from None
        except (ValueError, RecursionError):
            raise self._broken(start) from None

    def _object(self, start: int, member: Callable[[str, int], int]) -> int:
        """Read an object.

        Args:
            start: The position of its brace.
            member: Takes each key and the position of its value; returns the value's end.

        Returns:
            The position after the object.
        """
        place = self._space(start + 1)
        while self._character(place) != "}":
            if self._character(place) != '"':
                raise self._broken(place)
            key, place = self._string(place)
            place = self._space(place)
            if self._character(place) != ":":
                raise self._broken(place)
            place = self._separator(member(key, self._space(place + 1)), "}")
        return place + 1

    def _array(self, start: int, element: Callable[[int], int]) -> int:
        place = self._space(start + 1)
        while self._character(place) != "]":
            place = self._separator(element(place), "]")
        return place + 1

    def _separator(self, place: int, end: str) -> int:
        place = self._space(place)
        if self._character(place) == ",":
            return self._space(place + 1)
        if self._character(place) != end:
            raise self._broken(place)
        return place

    def _skip(self, start: int) -> int:
        """The end of the value that begins here. Its inside is not validated."""
        first = self._character(start)
        if first == '"':
            return self._string(start)[1]
        if first not in "[{":
            scalar = SCALAR.match(self._text, start)
            if not scalar:
                raise self._broken(start)
            return scalar.end()
        depth, place = 0, start
        while True:
            bracket = BRACKETS.search(self._text, place)
            if not bracket:
                raise _cut_off()
            if bracket[0] == '"':
                place = self._string(bracket.start())[1]
                continue
            self._step()
            depth += 1 if bracket[0] in "[{" else -1
            place = bracket.end()
            if depth == 0:
                return place

    def _string(self, start: int) -> tuple[str, int]:
        self._step()
        try:
            return scanstring(self._text, start + 1, False)
        except ValueError as error:
            if "Unterminated" in str(error):
                raise _cut_off() from None
            raise self._broken(start) from None

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise Malformed("The notebook has too many outputs; clear them and save it.")

    def _space(self, place: int) -> int:
        space = SPACE.match(self._text, place)
        return space.end() if space else place

    def _character(self, place: int) -> str:
        if place >= len(self._text):
            raise _cut_off()
        return self._text[place]

    def _broken(self, place: int) -> Malformed:
        line = self._text.count("\n", 0, place) + 1
        if re.search(r"^(<<<<<<<|>>>>>>>) ", self._text, re.MULTILINE):
            return Malformed(
                "The notebook contains the markers of a Git merge conflict (<<<<<<<); resolve it."
            )
        return Malformed(f"The file is not a valid notebook: its JSON is broken on line {line}.")


def _cut_off() -> Malformed:
    return Malformed("The notebook is cut off: the file ends in the middle of its JSON.")


def _is_text(source: object) -> bool:
    lines = [source] if isinstance(source, str) else source
    return isinstance(lines, list) and all(isinstance(line, str) for line in lines)


def _source(source: object) -> str:
    lines = [source] if isinstance(source, str) else source
    if not isinstance(lines, list) or not _is_text(lines):
        raise Malformed("The file is JSON but not a notebook: a code cell has no text.")
    return "".join(lines)


def _stamp(metadata: object) -> str:
    stamp = metadata.get("ift") if isinstance(metadata, dict) else None
    value = stamp.get("hash") if isinstance(stamp, dict) else None
    return value if isinstance(value, str) else ""
