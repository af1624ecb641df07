"""Files with a message on each row, as OpenAssistant's flat ones: rows that are turns of a tree."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ift_course.data.records import BadRow

COLUMNS = ("message_id", "parent_id", "text", "role")


class Joined:
    """Of a row: it is a turn in the conversation of another row."""


class LeftOut:
    """Of a row: another reply was better, or the conversation ends before it."""


def is_message_row(row: Any) -> bool:
    """Whether a row is one message with a parent."""
    return isinstance(row, Mapping) and all(name in row for name in COLUMNS)


def threads(numbered: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any, Any]]:
    """Every row with what becomes of it: of a tree's first message, a row of "messages".

    The conversation goes from the first message to the best reply, by "rank", and on to the best
    reply to that (as in Köpf et al. 2023, OpenAssistant Conversations). All rows are in memory.
    """
    rows = list(numbered)
    children: dict[Any, list[int]] = defaultdict(list)
    results: dict[int, Any] = {}
    known = {row["message_id"] for _, row in rows if _is_message(row)}
    for i, (_, row) in enumerate(rows):
        if isinstance(row, BadRow):
            results[i] = row
        elif not _is_message(row):
            results[i] = BadRow("a message needs message_id, parent_id, text and role")
        elif row["parent_id"] is not None and row["parent_id"] not in known:
            results[i] = BadRow("its parent_id is no message of this file")
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


def _best_path(root: int, rows: list[tuple[int, Any]], children: dict[Any, list[int]]) -> list[int]:
    path, seen = [root], {root}
    while replies := [i for i in children[rows[path[-1]][1]["message_id"]] if i not in seen]:
        path.append(min(replies, key=lambda i: rank_of(rows[i][1])))
        seen.add(path[-1])
    return path


def rank_of(reply: Mapping[str, Any]) -> float:
    """The place of a reply among its siblings, 0 for the best; unranked ones come last."""
    rank = reply.get("rank")
    return rank if isinstance(rank, (int, float)) and rank == rank else float("inf")
