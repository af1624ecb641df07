"""From any known layout to one: every row is written, or kept with the reason why it was not."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TextIO

from ift_course.data.adapters import Adapted, adapt
from ift_course.data.files import Rows
from ift_course.data.records import BadRow, Record
from ift_course.errors import CourseError

KINDS = 50  # of reasons that are told apart; a file can be wrong in endless ways
Layout = Literal["messages", "prompt-completion"]


@dataclass
class Converted:
    """What became of the rows: read = written + rejected."""

    read: int = 0
    written: int = 0
    rejected: int = 0
    rejects: Path | None = None  # where they are, if there are any
    schemas: Counter[str] = field(default_factory=Counter)  # of the rows that were written
    repairs: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    first_reason: str = ""


def adapted(rows: Rows) -> Iterator[tuple[int, Any, Adapted | BadRow]]:
    """Every row: its number, how it stands in the file, and the conversation or what is wrong."""
    for number, row in rows:
        if isinstance(row, BadRow):
            yield number, None, row
            continue
        try:
            yield number, row, adapt(row, f"{rows.path.name}, row {number}")
        except BadRow as error:
            yield number, row, error


def convert(
    path: str | Path,
    out: str | Path,
    *,
    to: Layout = "messages",
    rejects: str | Path | None = None,
    origin: str = "",
    license: str = "",
    on_rows: Callable[[Rows, Converted], None] | None = None,
) -> Converted:
    """Write the rows of `path` as JSONL in TRL's layout `to`, in the order of the file.

    Memory does not grow with the file, and `out` appears when it is whole. A row that cannot be
    used goes to `rejects` (OUT.rejects.jsonl unless given) as {"row", "reason", "data"}.

    Args:
        origin, license: of the data set, for rows that do not say it themselves.
        on_rows: is called now and then with how far the reading is.

    Raises CourseError when the file cannot be read or not a single row is usable.
    """
    path, out = Path(path), Path(out)
    rejects = Path(rejects) if rejects else out.with_name(f"{out.stem}.rejects.jsonl")
    if len({p.absolute().resolve() for p in (path, out, rejects)}) < 3:
        raise CourseError("The input, --out and --rejects must be three different files.")
    rows, found = Rows(path), Converted()
    with appearing(out) as good, appearing(rejects) as bad:
        for number, row, result in adapted(rows):
            found.read += 1
            if isinstance(result, BadRow):
                reject(found, bad, number, row, str(result))
            else:
                record = result.record
                record = replace(
                    record, origin=record.origin or origin, license=record.license or license
                )
                found.written += 1
                found.schemas[result.schema] += 1
                found.repairs.update(result.repairs)
                good.write(json.dumps(as_row(record, to), ensure_ascii=False) + "\n")
            if on_rows and found.read % 200 == 0:
                on_rows(rows, found)
        if on_rows:
            on_rows(rows, found)
        if not found.read:
            raise CourseError(f"{path} has no rows.")
        if not found.written:
            raise CourseError(
                f"None of the {found.read} rows of {path} is usable; {found.first_reason}."
            )
    found.rejects = rejects if found.rejected else None
    return found


def as_row(record: Record, to: Layout) -> dict[str, Any]:
    """The record in one of TRL's layouts, with its origin and license where they are known."""
    said = record.messages
    row: dict[str, Any] = (
        {"messages": said} if to == "messages" else {"prompt": said[:-1], "completion": said[-1:]}
    )
    known = {"origin": record.origin, "license": record.license}
    return row | {name: value for name, value in known.items() if value}


def reject(found: Converted, bad: TextIO, number: int, row: Any, reason: str) -> None:
    """Count a row that cannot be used, and write it down with the reason."""
    found.rejected += 1
    found.first_reason = found.first_reason or f"row {number}: {reason}"
    # In a report, rows with the same fault belong together, whatever they hold.
    why = reason.split(" (")[0]
    found.reasons[why if why in found.reasons or len(found.reasons) < KINDS else "others"] += 1
    entry = {"row": number, "reason": reason, "data": row}
    try:
        text = json.dumps(entry, default=str)
    except (RecursionError, TypeError, ValueError):
        text = json.dumps(entry | {"data": repr(type(row))})
    bad.write(text + "\n")


@contextmanager
def appearing(path: Path) -> Iterator[TextIO]:
    """A file that is there when all is written, and not before. An empty one never appears."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with new.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            empty = file.tell() == 0
        if empty:
            path.unlink(missing_ok=True)  # of an earlier run
        else:
            os.replace(new, path)
    except FileNotFoundError:
        raise CourseError(f"There is no folder {path.parent}; make it first.") from None
    except PermissionError as error:
        raise CourseError(f"{path} cannot be written ({error.strerror}).") from None
    finally:
        new.unlink(missing_ok=True)
