"""Records as rows of TRL's layouts, and files that appear when they are whole."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TextIO

from ift_course.data.records import Message, Record
from ift_course.errors import CourseError

Layout = Literal["messages", "prompt-completion", "preference"]


@contextmanager
def atomic_writer(path: Path) -> Iterator[TextIO]:
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


def as_row(record: Record, to: Layout | None = None) -> dict[str, Any]:
    """The record in one of TRL's layouts, with its tools, origin and license where it has them.

    to: None is "preference" for a record with a rejected response, else "messages".
    """
    layout = to or ("preference" if record.rejected else "messages")
    messages = record.messages
    row: dict[str, Any]
    if layout == "messages":
        row = {"messages": messages}
    elif layout == "prompt-completion":
        row = {"prompt": messages[:-1], "completion": messages[-1:]}
    else:
        rejected: list[Message] = [turn.message for turn in record.rejected]
        row = {"prompt": messages[:-1], "chosen": messages[-1:], "rejected": rejected}
    extras = {"tools": list(record.tools), "origin": record.origin, "license": record.license}
    return row | {name: value for name, value in extras.items() if value}
