"""The search of a training file for the questions of a test."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ift_course.data.curation.overlap import Overlap, find_overlaps
from ift_course.data.reading import read_rows
from ift_course.data.records import Record
from ift_course.evaluation.items import Item


def question_of(item: Item) -> str:
    """The user's turns of an item: what a training row could share with it."""
    return "\n".join(str(m["content"]) for m in item.messages if m["role"] == "user")


def row_number(record: Record) -> int:
    """The number of the row that a record was read from, or 0 if it does not say."""
    number = re.search(r"\d+$", record.source)
    return int(number[0]) if number else 0


def find_leaks(
    items: Sequence[Item],
    train: str | Path,
    *,
    on_done: Callable[[int, int], None] | None = None,
) -> dict[int, Overlap]:
    """Return what a training file shares with test items, by the index of the item.

    Args:
        items: The test items.
        train: The training file, in any layout that `ift sft` reads.
        on_done: Is called with the number of training rows searched, and of all.

    Raises:
        CourseError: The training file cannot be read.
    """
    records = read_rows(train).records
    numbers = [row_number(record) for record in records]
    return find_overlaps([question_of(i) for i in items], records, numbers, on_done=on_done)
