"""Values of a row, read by name: what is not usable is refused, what nobody read is remembered."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from ift_course.data.csv_lines import not_utf8
from ift_course.data.records import BadRow

# How programs write "there is nothing" into a column of text.
NOTHING = {"nan", "NaN", "None", "null", "NULL", "N/A", "<NA>", "<noinput>", "<nooutput>"}
# These are no answer to anything; "None" and "N/A" may be one.
NO_ANSWER = {"nan", "NaN", "<NA>", "<noinput>", "<nooutput>"}


class Fields:
    """A row, or a message in it, that keeps account of what was read.

    Attributes:
        place: of a message in its row, for sentences: 'message 2 of "messages"'.
    """

    def __init__(self, values: Mapping[str, Any], place: str = ""):
        self._values = values
        self._used: set[str] = set()
        self.place = place
        self.repairs: list[str] = []
        self._inner_unused: list[str] = []

    def __contains__(self, name: str) -> bool:
        """Whether there is something under this name: no null, NaN or empty list."""
        return is_something(self._values.get(name))

    def peek(self, name: str) -> Any:
        """A value that is looked at and thereby not yet used."""
        return self._values.get(name)

    def take(self, *names: str) -> Any:
        """The first of these values that is something, or None."""
        for name in names:
            if name in self:
                self._used.add(name)
                return self._values[name]
        return None

    def first(self, *names: str) -> str:
        """The first of these names that has a value; the first of all when none has."""
        return next((name for name in names if name in self), names[0])

    def text(self, *names: str) -> str:
        """The first of these columns that has a value. Raises BadRow if it is not usable text."""
        name = self.first(*names)
        value = self._text(name)
        if value is None:
            empty = isinstance(self._values.get(name), str)
            raise self.bad(f'"{name}" is {"empty" if empty else "missing"}')
        if not value.strip():
            raise self.bad(f'"{name}" is empty')
        if value.strip() in NO_ANSWER:
            raise self.bad(f'"{name}" is "{value.strip()}", by which a program means nothing')
        return value

    def optional_text(self, *names: str) -> str:
        """The first of these columns that has a value, or "". Raises BadRow if it is no text."""
        name = self.first(*names)
        value = self._text(name) or ""
        if value.strip() in NOTHING:
            self.repairs.append(f'read "{value.strip()}" in "{name}" as nothing')
            return ""
        return value if value.strip() else ""

    def _text(self, name: str) -> str | None:
        value = self.take(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.bad(f'"{name}" should be text, but is {kind(value)}')
        if not value.isascii():
            refuse_half_characters(value, f'"{name}"')
        return value

    def use(self, *names: str) -> None:
        """Declare columns as read, such as a copy of what another column says."""
        self._used.update(names)

    def leave_out(self, name: str) -> None:
        """Declare a value inside a column, as "messages[].name", as not used."""
        self._inner_unused.append(name)

    @property
    def unused(self) -> tuple[str, ...]:
        """The names that have a value nobody has read, in the order of the row."""
        columns = [str(n) for n in self._values if n in self and n not in self._used]
        return tuple(dict.fromkeys([*columns, *self._inner_unused]))

    def bad(self, reason: str) -> BadRow:
        """A BadRow that says where in the row it is."""
        return BadRow(f"{self.place}: {reason}" if self.place else reason)


def is_something(value: Any) -> bool:
    """Whether a value says anything: null, NaN, "" and empty lists and objects do not."""
    if isinstance(value, float):
        return not math.isnan(value)
    return value is not None and not (isinstance(value, (str, list, dict)) and not value)


def refuse_half_characters(value: str, name: str) -> None:
    """Raise BadRow for text that no UTF-8 file can hold, as bytes of another encoding become."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        if 0xDC80 <= ord(value[error.start]) <= 0xDCFF:  # a byte, kept for this moment
            raise not_utf8(value.encode(errors="surrogateescape")) from None
        raise BadRow(
            f"{name} holds half a character, which no UTF-8 file can", f"position {error.start}"
        ) from None


def kind(value: Any) -> str:
    """What a value is, in words a person uses."""
    if value == []:
        return "an empty list"
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", str: "text"}
    return names.get(type(value), "null" if value is None else "an object")


def as_list(value: Any, name: str) -> list:
    """A list, which in a CSV file is JSON in a cell. Raises BadRow for anything else."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise BadRow(f'"{name}" looks like a list but is not JSON') from None
    if not isinstance(value, list) or not value:
        raise BadRow(f'"{name}" should be a list of turns, but is {kind(value)}')
    return value


def parsed(value: Any) -> Any:
    """A value that may be JSON in a string, as CSV files and OpenAI's tool calls have it."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def without_nulls(value: Any) -> Any:
    """The value without the nulls that a table puts where a row has no such key."""
    if isinstance(value, Mapping):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return [without_nulls(v) for v in value] if isinstance(value, list) else value


def quoted(value: Any) -> str:
    """A value as it stands in JSON, short enough for a sentence."""
    return json.dumps(value, default=str)[:60]


def named(names: Iterable[Any]) -> str:
    """Column names for a sentence."""
    return ", ".join(map(str, names))[:200] or "none"
