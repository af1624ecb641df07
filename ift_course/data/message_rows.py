"""Files with one message on each row, such as OpenAssistant's flat files: turns of a tree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ift_course.data.records import BadRow, NumberedRow

COLUMNS = ("message_id", "parent_id", "text", "role")


class Joined:
    """The result for a row that is a turn in the conversation of another row."""


class LeftOut:
    """The result for a row in no conversation: another reply was better, or it comes later."""


def is_message_row(row: Any) -> bool:
    """Whether a row is one message with a parent."""
    return isinstance(row, Mapping) and all(name in row for name in COLUMNS)


def join_messages(numbered_rows: Iterable[NumberedRow]) -> Iterator[tuple[int, Any, Any]]:
    """Join messages to conversations; all rows are held in memory.

    A conversation goes from the first message of a tree to its best reply by "rank", to the best
    reply to that one, and so on (Köpf et al. 2023, OpenAssistant Conversations).

    Args:
        numbered_rows: the rows of a file, with their numbers.

    Yields:
        The number and the row with its result: for the first message of a tree, a row with
        "messages"; for all others `Joined`, `LeftOut` or a `BadRow`.
    """
    rows = list(numbered_rows)
    children: dict[Any, list[int]] = defaultdict(list)
    results: dict[int, Any] = {}
    known_ids = {row["message_id"] for _, row in rows if _is_message(row)}
    for i, (_, row) in enumerate(rows):
        if isinstance(row, BadRow):
            results[i] = row
        elif not _is_message(row):
            results[i] = BadRow("a message needs message_id, parent_id, text and role")
        elif row["parent_id"] is not None and row["parent_id"] not in known_ids:
            results[i] = BadRow("this file has no message with its parent_id")
        else:
            children[row["parent_id"]].append(i)
    for root in children[None]:
        path = _best_path(root, rows, children)
        messages = [{"role": rows[i][1]["role"], "text": rows[i][1]["text"]} for i in path]
        results[root] = {"messages": messages, "id": rows[root][1]["message_id"]}
        results |= dict.fromkeys(path[1:], Joined())
    for i, (number, row) in enumerate(rows):
        yield number, row, results.get(i, LeftOut())


def _is_message(row: Any) -> bool:
    return is_message_row(row) and isinstance(row["message_id"], (str, int))


def _best_path(root: int, rows: list[NumberedRow], children: dict[Any, list[int]]) -> list[int]:
    path, visited = [root], {root}
    while replies := [i for i in children[rows[path[-1]][1]["message_id"]] if i not in visited]:
        path.append(min(replies, key=lambda i: reply_rank(rows[i][1])))
        visited.add(path[-1])
    return path


def reply_rank(reply: Mapping[str, Any]) -> float:
    """The rank of a reply among its siblings, 0 for the best; replies without a rank come last."""
    rank = reply.get("rank")
    return rank if isinstance(rank, (int, float)) and rank == rank else float("inf")
