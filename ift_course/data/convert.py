"""From any known layout to one: every row is written, or kept with the reason why it was not."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ift_course.data.changes import AS_IS, Changes
from ift_course.data.files import Rows
from ift_course.data.reading import Account, parsed_rows, write_reject
from ift_course.data.records import BadRow
from ift_course.data.writing import Layout, as_row, atomic_writer
from ift_course.errors import CourseError


def convert(
    path: str | Path,
    out: str | Path,
    *,
    to: Layout | None = None,
    rejects: str | Path | None = None,
    origin: str = "",
    license: str = "",
    changes: Changes = AS_IS,
    on_rows: Callable[[Rows, Account], None] | None = None,
) -> Account:
    """Write the rows of `path` as JSONL in TRL's layout `to`, in the order of the file.

    Memory does not grow with the file, and `out` appears when it is whole. A row that cannot be
    used goes to `rejects` (OUT.rejects.jsonl unless given) as {"row", "reason", "data"}.

    Args:
        to: None keeps pairs as pairs and writes all else as messages; the first usable row decides.
        origin, license: of the data set, for rows that do not say it themselves.
        changes: what to leave out of the records, or to write in another way.
        on_rows: is called now and then with how far the reading is.

    Raises:
        CourseError: the file cannot be read or not a single row is usable.
    """
    path, out = Path(path), Path(out)
    rejects = Path(rejects) if rejects else out.with_name(f"{out.stem}.rejects.jsonl")
    if len({p.absolute().resolve() for p in (path, out, rejects)}) < 3:
        raise CourseError("The input, --out and --rejects must be three different files.")
    rows, account = Rows(path), Account()
    with atomic_writer(out) as good, atomic_writer(rejects) as bad:
        for number, row, result in parsed_rows(rows, changes):
            if not isinstance(result, BadRow) and getattr(result, "record", None):
                to = to or ("preference" if result.record.rejected else "messages")
                if to == "preference" and not result.record.rejected:
                    result = BadRow("it has no rejected response, and the others are pairs")
            if isinstance(result, BadRow):
                write_reject(bad, number, row, str(result))
            record = account.count(number, result)
            if record is not None:
                if record.rejected and to != "preference":
                    account.unused["rejected"] += 1
                record = replace(
                    record, origin=record.origin or origin, license=record.license or license
                )
                good.write(json.dumps(as_row(record, to), ensure_ascii=False) + "\n")
            if on_rows and account.read % 200 == 0:
                on_rows(rows, account)
        account.finish(rows)
        if on_rows:
            on_rows(rows, account)
        account.refuse_nothing(path)
    account.rejects = rejects if account.rejected else None
    return account
