"""Records as rows of TRL's layouts, and the files that they are written to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TextIO

from ift_course.data.records import Message, Record
from ift_course.disk import atomic_writer
from ift_course.errors import CourseError

Layout = Literal["messages", "prompt-completion", "preference"]


@contextmanager
def open_output(path: Path) -> Iterator[TextIO]:
    """Open a file of rows that appears when it is complete; a file without rows never appears.

    Raises:
        CourseError: there is no such folder, or the file may not be written.
    """
    try:
        with atomic_writer(path, drop_empty=True) as file:
            yield file
    except FileNotFoundError:
        raise CourseError(f"There is no folder {path.parent}; make it first.") from None
    except PermissionError as error:
        raise CourseError(f"{path} cannot be written ({error.strerror}).") from None


def as_row(record: Record, to: Layout | None = None) -> dict[str, Any]:
    """The record in one of TRL's layouts, with its tools, origin and license if it has them.

    Args:
        record: the conversation.
        to: the layout; None is "preference" for a record with a rejected response, otherwise
            "messages".
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
