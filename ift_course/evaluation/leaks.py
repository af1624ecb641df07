"""The questions of a test, and the search of a training file for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ift_course.data.curation.overlap import Overlap, each_overlap, strongest
from ift_course.data.curation.texts import user_text_of
from ift_course.data.files import Rows
from ift_course.data.reading import read_rows
from ift_course.data.records import Record
from ift_course.evaluation.items import Item, read_test_rows


def read_questions(
    path: str | Path, on_rows: Callable[[Rows, int], None] | None = None
) -> list[str]:
    """Read what a test file asks: the user's turns of each row, whose answer may be missing.

    Args:
        path: The file, in any layout that `ift data inspect` knows.
        on_rows: Is called now and then with the progress of the reading.

    Raises:
        CourseError: The file cannot be read, it has no rows, or a row has no question.
    """
    return [user_text_of(record) for _, _, record in read_test_rows(path, on_rows)]


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
    questions = [question_of(item) for item in items]
    return strongest(each_overlap(questions, records, numbers, on_done=on_done))
