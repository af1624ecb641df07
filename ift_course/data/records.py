"""Every data set becomes a list of `Record`: a conversation, whatever its columns were called.

A datum goes one way: file → rows → adapter → `Record` → chat template → tokens (`masking.py`).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ift_course.errors import CourseError

ROLES = ("system", "user", "assistant")


@dataclass(frozen=True)
class Turn:
    role: str  # one of ROLES
    content: str


@dataclass(frozen=True)
class Record:
    """One training conversation; the turns of the role "assistant" are what is learned."""

    turns: tuple[Turn, ...]
    source: str = ""  # where it came from, for messages: "data.jsonl, row 17"

    @property
    def messages(self) -> list[dict[str, str]]:
        return [{"role": turn.role, "content": turn.content} for turn in self.turns]

    @classmethod
    def from_messages(cls, messages: Iterable[Mapping[str, str]], source: str = "") -> "Record":
        return cls(tuple(Turn(m["role"], m["content"]) for m in messages), source)

    @classmethod
    def from_instruction(
        cls, instruction: str, input: str, response: str, system: str = "", source: str = ""
    ) -> "Record":
        """The (instruction, input, output) triple of the Alpaca format (Taori et al., 2023)."""
        head = (Turn("system", system),) if system else ()
        user, assistant = Turn("user", user_text(instruction, input)), Turn("assistant", response)
        return cls((*head, user, assistant), source)


def user_text(instruction: str, input: str = "") -> str:
    """The user's turn made of an instruction and its optional input.

    The only place where the two are joined: what is trained and what is asked later must agree.
    """
    return f"{instruction}\n{input}" if input else instruction


class BadRow(Exception):
    """What is wrong with one row and what to do; `read_records` adds file and row number."""


Row = Mapping[str, Any]


def _text(row: Row, *names: str, optional: bool = False) -> str:
    for name in names:
        value = row.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise BadRow(f'"{name}" should be text, but is {_kind(value)}')
        if value.strip() or optional:
            return value
        raise BadRow(f'"{name}" is empty')
    if optional:
        return ""
    raise BadRow(f'"{names[0]}" is missing')


def _kind(value: Any) -> str:
    if value == []:
        return "an empty list"
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", str: "text"}
    return names.get(type(value), "null" if value is None else "an object")


def _messages(value: Any, name: str) -> list[dict[str, str]]:
    if not isinstance(value, list) or not value:
        raise BadRow(f'"{name}" should be a list of messages, but is {_kind(value)}')
    messages = []
    for number, message in enumerate(value, 1):
        if not isinstance(message, dict):
            raise BadRow(f'message {number} of "{name}" should be an object with role and content')
        role = message.get("role")
        if role not in ROLES:
            raise BadRow(
                f'message {number} of "{name}" has the role {json.dumps(role)}, '
                f"but only {', '.join(ROLES)} are known"
            )
        try:
            messages.append({"role": role, "content": _text(message, "content")})
        except BadRow as error:
            raise BadRow(f'message {number} of "{name}": {error}') from None
    return messages


def _from_instruction(row: Row) -> Record:
    return Record.from_instruction(
        _text(row, "instruction"),
        _text(row, "input", "context", optional=True),
        _text(row, "output", "response"),
        _text(row, "system", optional=True),
    )


def _from_prompt_completion(row: Row) -> Record:
    def turns(name: str, role: str) -> list[dict[str, str]]:
        if isinstance(row.get(name), list):
            return _messages(row[name], name)
        return [{"role": role, "content": _text(row, name)}]

    return Record.from_messages([*turns("prompt", "user"), *turns("completion", "assistant")])


def _from_messages(row: Row) -> Record:
    return Record.from_messages(_messages(row.get("messages"), "messages"))


# One line per layout: the columns that give it away, and the function that reads such a row.
# The first layout of which all columns are present wins.
ADAPTERS: tuple[tuple[tuple[str, ...], Callable[[Row], Record]], ...] = (
    (("messages",), _from_messages),
    (("prompt", "completion"), _from_prompt_completion),
    (("instruction", "output"), _from_instruction),
    (("instruction", "response"), _from_instruction),
)
ACCEPTED = "instruction/input/output (or response), prompt/completion, or messages"


def detect(columns: Iterable[str]) -> Callable[[Row], Record] | None:
    """The adapter for rows with these columns, or None when no known layout fits."""
    present = set(columns)
    return next((read for names, read in ADAPTERS if present.issuperset(names)), None)


def to_record(row: Any, source: str) -> Record:
    """One row of a data set as a `Record`. Raises BadRow, which does not know the row's place."""
    if not isinstance(row, Mapping):
        raise BadRow(f"expected an object with named columns, but found {_kind(row)}")
    adapter = detect(row) or _nearest(row)
    if adapter is None:
        found = ", ".join(map(str, row)) or "none"
        raise BadRow(f"found the columns {found}, but need {ACCEPTED}")
    record = adapter(row)
    if record.turns[-1].role != "assistant":
        raise BadRow("the last turn must be the assistant's, for that is what is learned")
    return Record(record.turns, source)


def _nearest(row: Row) -> Callable[[Row], Record] | None:
    # A row with half of a layout names the missing column better than "unknown columns" does.
    for first, read in (("instruction", _from_instruction), ("prompt", _from_prompt_completion)):
        if first in row and len(row) <= 3:
            return read
    return None


def read_records(path: str | Path) -> list[Record]:
    """Read a JSON array, or JSON objects line by line, of conversations.

    Raises CourseError, naming the file, the row (counted from 1; in a JSONL file, the line) and the
    remedy, when the file is missing, empty, not UTF-8, not JSON, or a row is not usable.
    """
    path = Path(path)
    records = []
    for number, row in _rows(path):
        source = f"{path.name}, row {number}"
        try:
            records.append(to_record(row, source))
        except BadRow as error:
            raise CourseError(f"{source}: {error}. Fix or delete that row and run again.") from None
    if not records:
        raise CourseError(f"{path} is empty; it needs at least one row with {ACCEPTED}.")
    return records


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    text = _read(path)
    if text.lstrip().startswith("["):
        yield from enumerate(_array(text, path), 1)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, _line(line, f"{path.name}, row {number}", text)


def _read(path: Path) -> str:
    if path.is_dir():
        raise CourseError(f"{path} is a folder; give one JSON or JSONL file.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CourseError(f"There is no file {path}; check the name and the folder.") from None
    except UnicodeDecodeError as error:
        raise CourseError(
            f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8 JSON or JSONL."
        ) from None
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}).") from None


def _array(text: str, path: Path) -> list[Any]:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise CourseError(
            f"{path.name}, line {error.lineno}: not valid JSON "
            f"({_where(error)}). Fix that line and run again."
        ) from None


def _line(line: str, source: str, text: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        if _is_one_object(text):
            raise CourseError(
                f"{source}: the file is one JSON object over many lines; "
                "write a list of rows, or one row on each line."
            ) from None
        raise CourseError(
            f"{source}: not valid JSON ({_where(error)}). Fix or delete that line and run again."
        ) from None


def _where(error: json.JSONDecodeError) -> str:
    return f"{error.msg.removesuffix(' at')} at column {error.colno}"


def _is_one_object(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True
