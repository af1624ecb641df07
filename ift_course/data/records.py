"""Every data set becomes a list of `Record`: a conversation, whatever its columns were called.

A datum goes one way: file (`files.py`) → rows → `adapters.py` → `Record` → chat template → tokens
(`masking.py`) → `packing.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

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
    source: str = ""  # where it stands, for messages: "data.jsonl, row 17"
    origin: str = ""  # what its row says of where it is from: a data set, a task, an id
    license: str = ""
    rejected: tuple[Turn, ...] = ()  # of a preference: the turns that lost to those at the end

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


def read_records(path: str | Path) -> list[Record]:
    """Read conversations from a JSON, JSONL, Parquet or CSV file of any known schema.

    Raises CourseError, naming the file, the row (counted from 1; in a JSONL file, the line) and the
    remedy, when the file is missing, empty, damaged, or a row is not usable.
    """
    from ift_course.data.adapters import ACCEPTED, adapt
    from ift_course.data.files import Rows

    rows = Rows(path)
    records = []
    for number, row in rows:
        source = f"{rows.path.name}, row {number}"
        try:
            if isinstance(row, BadRow):
                raise row
            records.append(adapt(row, source).record)
        except BadRow as error:
            what = "line" if row is error else "row"
            raise CourseError(
                f"{source}: {error}. Fix or delete that {what} and run again."
            ) from None
    if not records:
        raise CourseError(f"{path} is empty; it needs at least one row with {ACCEPTED}.")
    return records
