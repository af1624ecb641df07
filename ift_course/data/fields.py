"""The values of a row, read by name: unusable ones are refused, unread ones are reported."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from ift_course.data.records import BadRow
from ift_course.data.text_file import not_utf8

# How programs write a missing value into a column of text.
MISSING_TEXTS = {"nan", "NaN", "None", "null", "NULL", "N/A", "<NA>", "<noinput>", "<nooutput>"}
# Those of them that never answer anything; "None" and "N/A" may be an answer.
MISSING_ANSWERS = {"nan", "NaN", "<NA>", "<noinput>", "<nooutput>"}


class Fields:
    """A row, or a message in it, that tracks which of its values were read.

    Attributes:
        place: where in its row a message is, for sentences: 'message 2 of "messages"'.
        repairs: what was read in another way than it is written.
    """

    def __init__(self, values: Mapping[str, Any], place: str = ""):
        self._values = values
        self._used: set[str] = set()
        self.place = place
        self.repairs: list[str] = []
        self._inner_unused: list[str] = []

    def __contains__(self, name: str) -> bool:
        """Whether this column has a value other than null, NaN or an empty list."""
        return has_value(self._values.get(name))

    def has_column(self, name: str) -> bool:
        """Whether there is a column of this name, with or without a value."""
        return name in self._values

    def peek(self, name: str) -> Any:
        """A value, without marking it as used."""
        return self._values.get(name)

    def take(self, *names: str) -> Any:
        """The value of the first of these columns that has one, or None; marked as used."""
        for name in names:
            if name in self:
                self._used.add(name)
                return self._values[name]
        return None

    def first_present(self, *names: str) -> str:
        """The first of these names that has a value; the first of all when none has."""
        return next((name for name in names if name in self), names[0])

    def text(self, *names: str) -> str:
        """The text of the first of these columns that has a value.

        Raises:
            BadRow: the value is missing, empty, not text, or a program's word for "missing".
        """
        name = self.first_present(*names)
        value = self._text(name)
        if value is None:
            is_empty = isinstance(self._values.get(name), str)
            raise self.error(f'"{name}" is {"empty" if is_empty else "missing"}')
        if not value.strip():
            raise self.error(f'"{name}" is empty')
        if value.strip() in MISSING_ANSWERS:
            raise self.error(f'"{name}" is "{value.strip()}", which stands for a missing value')
        return value

    def optional_text(self, *names: str) -> str:
        """The text of the first of these columns that has a value, or "".

        Raises:
            BadRow: the value is not text.
        """
        name = self.first_present(*names)
        value = self._text(name) or ""
        if value.strip() in MISSING_TEXTS:
            self.repairs.append(f'read "{value.strip()}" in "{name}" as missing')
            return ""
        return value if value.strip() else ""

    def _text(self, name: str) -> str | None:
        value = self.take(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.error(f'"{name}" should be text, but is {describe_type(value)}')
        if not value.isascii():
            refuse_lone_surrogates(value, f'"{name}"')
        return value

    def mark_used(self, *names: str) -> None:
        """Declare columns as used, such as a copy of another column."""
        self._used.update(names)

    def mark_unused(self, name: str) -> None:
        """Declare a value inside a column, such as "messages[].name", as unused."""
        self._inner_unused.append(name)

    @property
    def unused(self) -> tuple[str, ...]:
        """The names whose value nothing has read, in the order of the row."""
        columns = [str(n) for n in self._values if n in self and n not in self._used]
        return tuple(dict.fromkeys([*columns, *self._inner_unused]))

    def error(self, reason: str) -> BadRow:
        """A BadRow that names the place in the row."""
        return BadRow(f"{self.place}: {reason}" if self.place else reason)


def has_value(value: Any) -> bool:
    """Whether a value is something: not null, NaN, "", an empty list or an empty object."""
    if isinstance(value, float):
        return not math.isnan(value)
    return value is not None and not (isinstance(value, (str, list, dict)) and not value)


def refuse_lone_surrogates(value: str, name: str) -> None:
    """Raise BadRow for text that UTF-8 cannot store, such as bytes of another encoding.

    Args:
        value: the text.
        name: what the text is, as the sentence names it.
    """
    try:
        value.encode()
    except UnicodeEncodeError as error:
        if 0xDC80 <= ord(value[error.start]) <= 0xDCFF:  # a byte that `surrogateescape` preserved
            raise not_utf8(value.encode(errors="surrogateescape")) from None
        raise BadRow(
            f"{name} contains half a character (a lone surrogate), which UTF-8 cannot store",
            f"position {error.start}",
        ) from None


def describe_type(value: Any) -> str:
    """The type of a JSON value in everyday words, such as "a list"."""
    if value == []:
        return "an empty list"
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", str: "text"}
    return names.get(type(value), "null" if value is None else "an object")


def parse_list(value: Any, name: str) -> list[Any]:
    """A list of turns; a CSV file stores it as JSON text.

    Args:
        value: the list, or its JSON text.
        name: the column, for the sentence.

    Raises:
        BadRow: the value is not a list, or it is empty.
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise BadRow(f'"{name}" looks like a list but is not JSON') from None
    if not isinstance(value, list) or not value:
        raise BadRow(f'"{name}" should be a list of turns, but is {describe_type(value)}')
    return value


def parse_json_text(value: Any) -> Any:
    """Decode a value that may be JSON text, as in CSV files and OpenAI's tool calls."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def without_nulls(value: Any) -> Any:
    """The value without nulls, which a table stores where a row does not have a key."""
    if isinstance(value, Mapping):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return [without_nulls(v) for v in value] if isinstance(value, list) else value


def quoted(value: Any) -> str:
    """A value as JSON, short enough for a sentence."""
    return json.dumps(value, default=str)[:60]


def join_names(names: Iterable[Any]) -> str:
    """Column names, separated by commas, for a sentence."""
    return ", ".join(map(str, names))[:200] or "none"
