"""A data file read once: records, and an account of everything that is in it.

`inspect`, `convert`, `curate`, `ift sft` and `ift dpo` all read rows here, so that they agree about
each of them. Rows read = rows used + rejected + joined to another + left out.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

from ift_course.data.changes import AS_IS, Changes, special_tokens
from ift_course.data.fields import named
from ift_course.data.files import Rows
from ift_course.data.message_rows import Joined, LeftOut, is_message_row, threads
from ift_course.data.pairs import ACCEPTED as ACCEPTED_PAIRS
from ift_course.data.pairs import Pair, pair_from
from ift_course.data.records import BadRow, Record, Unpreferred
from ift_course.data.schemas import ACCEPTED, ParsedRow, is_verdict, parse_row
from ift_course.data.writing import as_row, atomic_writer
from ift_course.errors import CourseError

MAX_REASONS = 50  # that are told apart; a file can be wrong in endless ways
LOOK_AHEAD = 1000  # rows from which it is seen what a column "label" means
Result = ParsedRow | BadRow | Joined | LeftOut


@dataclass
class Account:
    """What became of the rows of a file: read = used + rejected + joined + left_out.

    Attributes:
        joined: rows that are a turn of another row's conversation.
        left_out: such rows that are in no conversation, as replies that lost to another.
        rejects: where the rejected rows are, if there are any and a file was named.
        schemas: of the rows that were used.
        repairs: what was changed in how many rows.
        unused: columns, and keys inside them, that have a value and are not used: in how many rows.
        reasons: why rows were rejected.
        special: texts that a tokenizer may read as special tokens, and in how many rows.
        notes: what is to be said of the file as a whole.
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

    def count(self, number: int, result: Result) -> Record | None:
        """Enter what became of one row; returns its record if it has one."""
        self.read += 1
        if isinstance(result, BadRow):
            self.rejected += 1
            self.first_reason = self.first_reason or f"row {number}: {result}"
            count_one(self.reasons, result.reason)
            return None
        if not isinstance(result, ParsedRow):
            self.joined += isinstance(result, Joined)
            self.left_out += isinstance(result, LeftOut)
            return None
        self.used += 1
        self.schemas[result.schema] += 1
        self.repairs.update(result.repairs)
        for name in result.unused:
            count_one(self.unused, name)
        for token in special_tokens(result.record):
            count_one(self.special, token)
        return result.record

    def finish(self, rows: Rows) -> None:
        """Enter what the file as a whole has to say."""
        self.notes += rows.notes
        self.unused.update(rows.unused)

    def refuse_nothing(self, path: Path) -> None:
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


def parsed_rows(rows: Rows, changes: Changes = AS_IS) -> Iterator[tuple[int, Any, Result]]:
    """Every row: its number, how it stands in the file, and what became of it."""
    numbered = iter(rows)
    begin = list(islice(numbered, LOOK_AHEAD))
    if begin and is_message_row(begin[0][1]):
        yield from _threads(rows, chain(begin, numbered), changes)
        return
    labels = [row["label"] for _, row in begin if isinstance(row, Mapping) and "label" in row]
    verdicts = all(is_verdict(label) for label in labels if label is not None)
    for number, row in chain(begin, numbered):
        readable = None if isinstance(row, BadRow) else row
        yield number, readable, _parse(rows, number, row, changes, verdicts)


def _parse(rows: Rows, number: int, row: Any, changes: Changes, verdicts: bool) -> Result:
    if isinstance(row, BadRow):
        return row
    try:
        source = f"{rows.path.name}, row {number}"
        return changes.apply(parse_row(row, source, label_is_verdict=verdicts))
    except BadRow as error:
        return error


def _threads(rows: Rows, numbered, changes: Changes) -> Iterator[tuple[int, Any, Result]]:
    for number, row, result in threads(numbered):
        if isinstance(result, dict):
            result = _parse(rows, number, result, changes, False)
            if isinstance(result, ParsedRow):
                result = replace(result, schema="OpenAssistant messages")
        yield number, None if row is result else row, result


def read_rows(
    path: str | Path,
    *,
    pairs: bool = False,
    rejects: str | Path | None = None,
    changes: Changes = AS_IS,
    on_rows: Callable[[Rows, int], None] | None = None,
) -> Reading:
    """Read a whole file for training.

    Args:
        pairs: read preference pairs. Pairs that prefer nothing, with equal or empty responses, are
            always set aside and counted.
        rejects: a file for rows that cannot be used, which then stop nothing.
        changes: what to leave out of the records, or to write in another way.
        on_rows: is called now and then with how far the reading is.

    Raises:
        CourseError: the file cannot be read, or no row can be used; without `rejects`, a row cannot
            be used.
    """
    path = Path(path)
    rows, account, records = Rows(path), Account(), []
    with _rejects_file(path, rejects) as bad:
        for number, row, result in parsed_rows(rows, changes):
            if pairs and isinstance(result, ParsedRow):
                result = _as_pair(result, row)
            if isinstance(result, BadRow):
                if bad is not None:
                    write_reject(bad, number, row, str(result))
                elif not isinstance(result, Unpreferred):
                    raise _stop(rows, number, result, row is None)
            record = account.count(number, result)
            if record is not None:
                records.append(record)
            if on_rows and account.read % 200 == 0:
                on_rows(rows, account.read)
        account.finish(rows)
        if not account.read:
            accepted = ACCEPTED_PAIRS if pairs else ACCEPTED
            raise CourseError(f"{path} is empty; it needs at least one row with {accepted}.")
        account.refuse_nothing(path)
    if account.rejected and rejects:
        account.rejects = Path(rejects)
    if not pairs:
        _say_what_lost(records, account)
    return Reading(records, account)


class Refusals:
    """Records that a model's chat template cannot write, put with the other rejects and counted.

    Give it to `sft` or `dpo` as `on_refused`.
    """

    def __init__(self, account: Account, rejects: str | Path):
        self._account, self._rejects = account, Path(rejects)

    def __call__(self, record: Record | Pair, reason: str) -> None:
        self._account.used -= 1
        self._account.rejected += 1
        self._account.rejects = self._rejects
        count_one(self._account.reasons, reason)
        number = re.search(r"\d+$", record.source)
        data = as_row(record if isinstance(record, Record) else record.record)
        with self._rejects.open("a", encoding="utf-8", newline="\n") as file:
            write_reject(file, int(number[0]) if number else 0, data, reason)


def _rejects_file(path: Path, rejects: str | Path | None):
    if rejects is None:
        return nullcontext()
    if Path(rejects).absolute().resolve() == path.absolute().resolve():
        raise CourseError("--rejects must be another file than --data.")
    return atomic_writer(Path(rejects))


def _say_what_lost(records: list[Record], account: Account) -> None:
    if lost := sum(bool(record.rejected) for record in records):
        account.unused["rejected"] += lost


def _as_pair(result: ParsedRow, row: Any) -> ParsedRow | BadRow:
    try:
        refuse_unpaired(result.record, row)
        pair_from(result.record)
    except BadRow as error:
        return error
    return result


def refuse_unpaired(record: Record, row: Any) -> None:
    """Raise BadRow for a record without a rejected response."""
    if not record.rejected:
        missing = next((n for n in ("chosen", "rejected") if not row.get(n)), "rejected")
        raise BadRow(
            f'"{missing}" is missing; found the columns {named(row)}, but need {ACCEPTED_PAIRS}'
        )


def _stop(rows: Rows, number: int, error: BadRow, is_line: bool) -> CourseError:
    what = "line" if is_line and rows.kind == "JSONL" else "row"
    return CourseError(
        f"{rows.path.name}, row {number}: {error}. Fix or delete that {what} and run again, or set "
        "such rows aside with --rejects FILE (`ift data convert` does so, too)."
    )


def count_one(counter: Counter[str], name: str) -> None:
    """Count a name, or "others" when there are too many names to be told apart."""
    counter[name if name in counter or len(counter) < MAX_REASONS else "others"] += 1


def write_reject(file: TextIO, number: int, row: Any, reason: str) -> None:
    """Write down a row that cannot be used, with its number and the reason."""
    entry = {"row": number, "reason": reason, "data": row}
    try:
        text = json.dumps(entry, default=str)
    except (RecursionError, TypeError, ValueError):
        text = json.dumps(entry | {"data": repr(type(row))})
    file.write(text + "\n")


def read_records(path: str | Path) -> list[Record]:
    """Read conversations from a data file of any known layout.

    Raises:
        CourseError: naming the file, the row (counted from 1; in a JSONL file, the line) and the
            remedy, when the file is missing, empty, damaged, or a row is not usable.
    """
    return read_rows(path).records


def read_pairs(path: str | Path) -> list[Pair]:
    """Read preference pairs from a data file of any known layout.

    Raises:
        CourseError: naming the file, the row (counted from 1; in a JSONL file, the line) and the
            remedy, when the file is missing, empty, damaged, or a row is not a pair.
    """
    return [pair_from(record) for record in read_rows(path, pairs=True).records]


def pair_of(row: Any, source: str = "") -> Pair:
    """One row as a pair. Raises BadRow, which says what is wrong but not where the row is."""
    result = parse_row(row, source)
    refuse_unpaired(result.record, row)
    return pair_from(result.record)
