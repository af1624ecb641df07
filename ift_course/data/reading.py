"""Read a data file once: its records, and an account of everything in it.

`inspect`, `convert`, `curate`, `ift sft` and `ift dpo` all read rows here, so that they agree about
each of them. Rows read = rows used + rejected + joined to another + left out.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

from ift_course.data.changes import NO_CHANGES, Changes, special_tokens
from ift_course.data.fields import join_names
from ift_course.data.files import Rows
from ift_course.data.message_rows import Joined, LeftOut, is_message_row, join_messages
from ift_course.data.pairs import ACCEPTED as ACCEPTED_PAIRS
from ift_course.data.pairs import Pair, pair_from
from ift_course.data.records import BadRow, NumberedRow, Record, Unpreferred
from ift_course.data.schemas import ACCEPTED, ParsedRow, is_verdict, parse_row
from ift_course.data.writing import as_row, open_output
from ift_course.errors import CourseError

MAX_REASONS = 50  # that are counted separately; a file can be wrong in endless ways
LOOK_AHEAD = 1000  # rows that show what a column "label" means
PROGRESS_ROWS = 200  # rows between two reports of progress
RowResult = ParsedRow | BadRow | Joined | LeftOut


@dataclass
class Account:
    """What became of the rows of a file: read = used + rejected + joined + left_out.

    Attributes:
        read: all rows.
        used: rows that became a record.
        rejected: rows that cannot be used.
        joined: rows that are a turn of another row's conversation.
        left_out: messages in no conversation, such as replies that lost to another.
        rejects: the file with the rejected rows, if there are any and a file was named.
        schemas: the schemas of the rows that were used.
        repairs: what was changed, and in how many rows.
        unused: columns, and keys inside them, whose value nothing reads, and in how many rows.
        reasons: why rows were rejected.
        special: texts that a tokenizer may read as special tokens, and in how many rows.
        notes: remarks about the file as a whole.
        first_reason: number and reason of the first rejected row.
    """

    read: int = 0
    used: int = 0
    rejected: int = 0
    joined: int = 0
    left_out: int = 0
    rejects: Path | None = None
    schemas: Counter[str] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    unused: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    special: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    first_reason: str = ""

    def add(self, number: int, result: RowResult) -> Record | None:
        """Count what became of one row.

        Args:
            number: the row's number.
            result: what became of it.

        Returns:
            The row's record, if it has one.
        """
        self.read += 1
        if isinstance(result, BadRow):
            self.rejected += 1
            self.first_reason = self.first_reason or f"row {number}: {result}"
            count_up_to_limit(self.reasons, result.reason)
            return None
        if not isinstance(result, ParsedRow):
            self.joined += isinstance(result, Joined)
            self.left_out += isinstance(result, LeftOut)
            return None
        self.used += 1
        self.schemas[result.schema] += 1
        self.repairs.update(result.repairs)
        for name in result.unused:
            count_up_to_limit(self.unused, name)
        for token in special_tokens(result.record):
            count_up_to_limit(self.special, token)
        return result.record

    def add_file_notes(self, rows: Rows) -> None:
        """Add what the reader noticed about the file as a whole."""
        self.notes += rows.notes
        self.unused.update(rows.unused)

    def require_usable_rows(self, path: Path) -> None:
        """Raise CourseError when the file has no rows, or none that can be used."""
        if not self.read:
            raise CourseError(f"{path} has no rows; it needs at least one with {ACCEPTED}.")
        if not self.used:
            raise CourseError(
                f"None of the {self.read} rows of {path} is usable; {self.first_reason}."
            )


@dataclass(frozen=True)
class Reading:
    """The records of a file, in its order, and the account of its rows."""

    records: list[Record]
    account: Account


def parsed_rows(rows: Rows, changes: Changes = NO_CHANGES) -> Iterator[tuple[int, Any, RowResult]]:
    """Every row: its number, its original form (None if unreadable), and what became of it."""
    numbered_rows = iter(rows)
    head = list(islice(numbered_rows, LOOK_AHEAD))
    if head and is_message_row(head[0][1]):
        yield from _joined_rows(rows, chain(head, numbered_rows), changes)
        return
    labels = [row["label"] for _, row in head if isinstance(row, Mapping) and "label" in row]
    are_verdicts = all(is_verdict(label) for label in labels if label is not None)
    for number, row in chain(head, numbered_rows):
        original = None if isinstance(row, BadRow) else row
        yield number, original, _parse(rows, number, row, changes, are_verdicts)


def _parse(
    rows: Rows, number: int, row: Any, changes: Changes, label_is_verdict: bool
) -> ParsedRow | BadRow:
    if isinstance(row, BadRow):
        return row
    try:
        source = f"{rows.path.name}, row {number}"
        return changes.apply(parse_row(row, source, label_is_verdict=label_is_verdict))
    except BadRow as error:
        return error


def _joined_rows(
    rows: Rows, numbered_rows: Iterable[NumberedRow], changes: Changes
) -> Iterator[tuple[int, Any, RowResult]]:
    for number, row, result in join_messages(numbered_rows):
        if isinstance(result, dict):
            result = _parse(rows, number, result, changes, label_is_verdict=False)
            if isinstance(result, ParsedRow):
                result = replace(result, schema="OpenAssistant messages")
        yield number, None if row is result else row, result


def read_rows(
    path: str | Path,
    *,
    pairs: bool = False,
    rejects: str | Path | None = None,
    changes: Changes = NO_CHANGES,
    on_rows: Callable[[Rows, int], None] | None = None,
) -> Reading:
    """Read a whole file for training.

    Args:
        path: the file.
        pairs: read preference pairs. Pairs without a preference, with equal or empty responses,
            are always set aside and counted.
        rejects: the file for rows that cannot be used; None stops at the first of them.
        changes: what to leave out of the records, or to write in another way.
        on_rows: is called now and then with the progress of the reading.

    Raises:
        CourseError: the file cannot be read, or no row can be used; without `rejects`, any row
            cannot be used.
    """
    path = Path(path)
    rows, account, records = Rows(path), Account(), []
    with _open_rejects(path, rejects) as rejects_file:
        for number, row, result in parsed_rows(rows, changes):
            if pairs and isinstance(result, ParsedRow):
                result = _check_pair(result, row)
            if isinstance(result, BadRow):
                if rejects_file is not None:
                    write_reject(rejects_file, number, row, str(result))
                elif not isinstance(result, Unpreferred):
                    raise _error_at_row(rows, number, result, is_unreadable=row is None)
            record = account.add(number, result)
            if record is not None:
                records.append(record)
            if on_rows and account.read % PROGRESS_ROWS == 0:
                on_rows(rows, account.read)
        account.add_file_notes(rows)
        if not account.read:
            accepted = ACCEPTED_PAIRS if pairs else ACCEPTED
            raise CourseError(f"{path} is empty; it needs at least one row with {accepted}.")
        account.require_usable_rows(path)
    if account.rejected and rejects:
        account.rejects = Path(rejects)
    if not pairs:
        _count_unused_rejected(records, account)
    return Reading(records, account)


class Refusals:
    """Sets records aside that a model's chat template cannot write.

    It is the `on_refused` of `sft` and `dpo`: it appends a record to the file of rejected rows and
    corrects the account.
    """

    def __init__(self, account: Account, rejects: str | Path):
        self._account, self._rejects = account, Path(rejects)

    def __call__(self, record: Record | Pair, reason: str) -> None:
        self._account.used -= 1
        self._account.rejected += 1
        self._account.rejects = self._rejects
        count_up_to_limit(self._account.reasons, reason)
        number = re.search(r"\d+$", record.source)
        row = as_row(record if isinstance(record, Record) else record.record)
        with self._rejects.open("a", encoding="utf-8", newline="\n") as file:
            write_reject(file, int(number[0]) if number else 0, row, reason)


def _open_rejects(
    path: Path, rejects: str | Path | None
) -> AbstractContextManager[TextIO] | AbstractContextManager[None]:
    if rejects is None:
        return nullcontext()
    if Path(rejects).absolute().resolve() == path.absolute().resolve():
        raise CourseError("--rejects must be another file than --data.")
    return open_output(Path(rejects))


def _count_unused_rejected(records: list[Record], account: Account) -> None:
    """Supervised fine-tuning does not use the rejected response of a pair."""
    if n_pairs := sum(bool(record.rejected) for record in records):
        account.unused["rejected"] += n_pairs


def _check_pair(row: ParsedRow, original: Any) -> ParsedRow | BadRow:
    try:
        refuse_unpaired(row.record, original)
        pair_from(row.record)
    except BadRow as error:
        return error
    return row


def refuse_unpaired(record: Record, row: Any) -> None:
    """Raise BadRow for a record without a rejected response.

    Args:
        record: the record.
        row: the row it was read from, whose columns the sentence names.
    """
    if not record.rejected:
        missing = next((name for name in ("chosen", "rejected") if not row.get(name)), "rejected")
        raise BadRow(
            f'"{missing}" is missing; found the columns {join_names(row)}, but need '
            f"{ACCEPTED_PAIRS}"
        )


def _error_at_row(rows: Rows, number: int, error: BadRow, is_unreadable: bool) -> CourseError:
    unit = "line" if is_unreadable and rows.kind == "JSONL" else "row"
    return CourseError(
        f"{rows.path.name}, row {number}: {error}. Fix or delete that {unit} and run again, or set "
        "such rows aside with --rejects FILE (`ift data convert` does so, too)."
    )


def count_up_to_limit(counter: Counter[str], name: str) -> None:
    """Count a name, or "others" once the counter has MAX_REASONS different names."""
    counter[name if name in counter or len(counter) < MAX_REASONS else "others"] += 1


def write_reject(file: TextIO, number: int, row: Any, reason: str) -> None:
    """Write a rejected row as {"row", "reason", "data"} on one line of JSON."""
    entry = {"row": number, "reason": reason, "data": row}
    try:
        text = json.dumps(entry, default=str)
    except (RecursionError, TypeError, ValueError):
        text = json.dumps(entry | {"data": repr(type(row))})
    file.write(text + "\n")


def read_records(path: str | Path) -> list[Record]:
    """Read conversations from a data file of any known layout.

    Raises:
        CourseError: the file is missing, empty or damaged, or a row is not usable. The sentence
            names the file, the row (counted from 1; in a JSONL file, the line) and the remedy.
    """
    return read_rows(path).records


def read_pairs(path: str | Path) -> list[Pair]:
    """Read preference pairs from a data file of any known layout.

    Raises:
        CourseError: the file is missing, empty or damaged, or a row is not a pair. The sentence
            names the file, the row (counted from 1; in a JSONL file, the line) and the remedy.
    """
    return [pair_from(record) for record in read_rows(path, pairs=True).records]


def parse_pair(row: Any, source: str = "") -> Pair:
    """Read one row as a pair.

    Raises:
        BadRow: the row is not a pair; the message does not name the file and the row.
    """
    result = parse_row(row, source)
    refuse_unpaired(result.record, row)
    return pair_from(result.record)
