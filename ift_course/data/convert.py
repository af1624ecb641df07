"""From any known layout to one: every row is written, or rejected with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ift_course.data.changes import NO_CHANGES, Changes
from ift_course.data.files import Rows
from ift_course.data.reading import PROGRESS_ROWS, Account, RowResult, parsed_rows, write_reject
from ift_course.data.records import BadRow
from ift_course.data.schemas import ParsedRow
from ift_course.data.writing import Layout, as_row, open_output
from ift_course.errors import CourseError


def convert(
    path: str | Path,
    out: str | Path,
    *,
    to: Layout | None = None,
    rejects: str | Path | None = None,
    origin: str = "",
    license: str = "",
    changes: Changes = NO_CHANGES,
    on_rows: Callable[[Rows, Account], None] | None = None,
) -> Account:
    """Write the rows of a file as JSONL in one of TRL's layouts, in the order of the file.

    Memory does not grow with the file, and `out` appears when it is complete.

    Args:
        path: the file to read.
        out: the file to write.
        to: the layout. None writes pairs as pairs and everything else as messages; the first
            usable row decides.
        rejects: the file for rows that cannot be used, as {"row", "reason", "data"};
            OUT.rejects.jsonl if None.
        origin: the data set's name, for rows that do not name their origin.
        license: the data set's license, for rows that do not name theirs.
        changes: what to leave out of the records, or to write in another way.
        on_rows: is called now and then with the progress of the reading.

    Raises:
        CourseError: the file cannot be read, or not a single row is usable.
    """
    path, out = Path(path), Path(out)
    rejects = Path(rejects) if rejects else out.with_name(f"{out.stem}.rejects.jsonl")
    if len({p.absolute().resolve() for p in (path, out, rejects)}) < 3:
        raise CourseError("The input, --out and --rejects must be three different files.")
    rows, account = Rows(path), Account()
    with open_output(out) as out_file, open_output(rejects) as rejects_file:
        for number, row, result in parsed_rows(rows, changes):
            if isinstance(result, ParsedRow):
                to = to or ("preference" if result.record.rejected else "messages")
                result = _fit_layout(result, to)
            if isinstance(result, BadRow):
                write_reject(rejects_file, number, row, str(result))
            record = account.add(number, result)
            if record is not None:
                if record.rejected and to != "preference":
                    account.unused["rejected"] += 1
                record = replace(
                    record, origin=record.origin or origin, license=record.license or license
                )
                out_file.write(json.dumps(as_row(record, to), ensure_ascii=False) + "\n")
            if on_rows and account.read % PROGRESS_ROWS == 0:
                on_rows(rows, account)
        account.add_file_notes(rows)
        if on_rows:
            on_rows(rows, account)
        account.require_usable_rows(path)
    account.rejects = rejects if account.rejected else None
    return account


def _fit_layout(row: ParsedRow, to: Layout) -> RowResult:
    if to == "preference" and not row.record.rejected:
        return BadRow("it has no rejected response, although the other rows are pairs")
    return row
