"""The training rows of a submission: conversations in one strict form, whatever they came from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ift_course.capstone.rules import DATA, LARGEST, MOST_ROWS, Refusal, megabytes
from ift_course.data.reading import read_rows
from ift_course.data.records import Record

ROLES = ("system", "user", "assistant")
MOST_TURNS = 32


def read_learners_rows(path: Path) -> list[Record]:
    """Read a learner's own file, in any layout that `ift sft` reads.

    Args:
        path: The file.

    Raises:
        CourseError: It cannot be read, or one of its rows cannot be used.
    """
    return read_rows(path).records


def to_jsonl(records: Sequence[Record]) -> bytes:
    """The file that a submission holds: {"messages": [{"role", "content"}]} on each line."""
    lines = []
    for record in records:
        messages = [{"role": turn.role, "content": turn.content} for turn in record.turns]
        lines.append(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")
    return "".join(lines).encode()


def parse_rows(content: bytes) -> list[Record]:
    """Read the rows of a submission, and hold them to the budget.

    Nothing but JSON is read: another format, compressed or not, is refused.

    Args:
        content: Of the file.

    Raises:
        Refusal: There are too many rows or none, or one of them has another form.
    """
    if len(content) > LARGEST[DATA]:
        raise Refusal(
            "size", f"{DATA} has {megabytes(len(content))}, and {megabytes(LARGEST[DATA])} are "
            f"the limit; {MOST_ROWS} rows of this course take a tenth of that."
        )  # fmt: skip
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise _refused("is no text in UTF-8") from None
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise _refused("has no rows")
    if len(lines) > MOST_ROWS:
        raise Refusal(
            "budget", f"{DATA} has {len(lines)} rows, and the budget is {MOST_ROWS}; "
            "choose the best of them."
        )  # fmt: skip
    return [_record(line, number) for number, line in enumerate(lines, 1)]


def _record(line: str, number: int) -> Record:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise _refused(f"is damaged: row {number} is no JSON") from None
    messages = row.get("messages") if isinstance(row, dict) else None
    if not isinstance(messages, list) or not 2 <= len(messages) <= MOST_TURNS:
        raise _refused(f'has no "messages" of 2 to {MOST_TURNS} turns in row {number}')
    if not all(map(_is_turn, messages)) or messages[-1]["role"] != "assistant":
        raise _refused(
            f"has an unusable turn in row {number}: each needs a role ({', '.join(ROLES)}) and "
            "words, and the last one is the assistant's"
        )
    return Record.from_messages(messages, source=f"{DATA}, row {number}")


def _is_turn(turn: Any) -> bool:
    return (
        isinstance(turn, dict)
        and set(turn) == {"role", "content"}
        and turn["role"] in ROLES
        and isinstance(turn["content"], str)
        and bool(turn["content"].strip())
    )


def _refused(what: str) -> Refusal:
    return Refusal("data", f"The training data ({DATA}) {what}.")
