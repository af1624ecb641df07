"""Curating a data file: every row of it is kept, dropped or rejected, and the report says which."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from ift_course.data.curation.curate import Curated, Decision, curate
from ift_course.data.curation.texts import user_text_of
from ift_course.data.files import Rows
from ift_course.data.message_rows import Joined
from ift_course.data.reading import Account, parsed_rows, write_reject
from ift_course.data.records import BadRow, Record
from ift_course.data.writing import as_row, atomic_writer
from ift_course.errors import CourseError

UNREADABLE = "cannot be used: "  # before the reason of a row that is no record
JOINED = "a turn of another row's conversation"
LEFT_OUT = "a reply that is in no conversation"
COLUMNS = (
    "row", "kept", "reason", "like_row", "likeness", "ifd", "perplexity", "perplexity_alone",
    "question",
)  # fmt: skip


@dataclass
class CuratedFile:
    """What became of the rows: read = kept + dropped + rejected + joined.

    Attributes:
        dropped: usable rows that were not chosen.
        joined: rows that are a turn of another row's conversation.
        reasons: of all rows that were not kept, how often.
        examples: the first row with each reason, and what it asks.
        account: what the reading of the file says, columns that are not used among it.
    """

    read: int = 0
    kept: int = 0
    dropped: int = 0
    rejected: int = 0
    joined: int = 0
    account: Account = field(default_factory=Account)
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, tuple[int, str]] = field(default_factory=dict)
    rejects: Path | None = None  # where the rejected rows are, if there are any


def curate_file(
    path: str | Path,
    out: str | Path,
    keep: int,
    *,
    report: str | Path | None = None,
    rejects: str | Path | None = None,
    on_rows: Callable[[Rows, int], None] | None = None,
    **options: Any,
) -> CuratedFile:
    """Write the best `keep` records of a file of any known schema to `out`, as `messages` in JSONL.

    The order of the file is kept. All of its records are in memory, tokens and weights apart.

    Args:
        report: a .jsonl or .csv file for one line about each row of the file.
        rejects: for rows that are no record, as in `convert`; OUT.rejects.jsonl unless given.
        on_rows: is called now and then while reading, with how far it is.
        options: those of `curate`.

    Raises CourseError when the file cannot be read, no row of it is usable, or none is kept (the
    report is written all the same).
    """
    path, out = Path(path), Path(out)
    rejects = Path(rejects) if rejects else out.with_name(f"{out.stem}.rejects.jsonl")
    report = Path(report) if report else None
    _check_names(path, out, rejects, report)
    with atomic_writer(out) as good:
        report_file = atomic_writer(report) if report else nullcontext()
        with atomic_writer(rejects) as bad, report_file as lines:
            records, entries, account = _read(path, bad, on_rows)
            chosen = curate(list(records.values()), keep, **options)
            entries |= _entries(records, chosen)
            if lines:
                _write_report(lines, report, [entries[row] for row in sorted(entries)])
        result = _counted(entries, account)
        if not result.kept:
            reason, number = result.reasons.most_common(1)[0]
            raise CourseError(f"No row of {path} was kept; {number} of {result.read}: {reason}.")
        for record in chosen.records:
            good.write(json.dumps(as_row(record), ensure_ascii=False) + "\n")
    result.rejects = rejects if result.rejected else None
    return result


def _check_names(path: Path, out: Path, rejects: Path, report: Path | None) -> None:
    if report and report.suffix.lower() not in (".csv", ".jsonl"):
        raise CourseError(f"A report is a .csv or a .jsonl file, but {report} is named otherwise.")
    files = [path, out, rejects, *([report] if report else [])]
    if len({file.absolute().resolve() for file in files}) < len(files):
        raise CourseError("The input, --out, --rejects and --report must be different files.")


def _read(
    path: Path, bad: TextIO, on_rows: Callable[[Rows, int], None] | None
) -> tuple[dict[int, Record], dict[int, dict], Account]:
    """The records of a file by their row, and entries of the report about the other rows."""
    rows, account = Rows(path), Account()
    records: dict[int, Record] = {}
    entries: dict[int, dict] = {}
    for number, row, result in parsed_rows(rows):
        record = account.count(number, result)
        if record is not None:
            records[number] = record
        elif isinstance(result, BadRow):
            write_reject(bad, number, row, str(result))
            entries[number] = _entry(number, False, f"{UNREADABLE}{result}")
        else:
            entries[number] = _entry(
                number, False, JOINED if isinstance(result, Joined) else LEFT_OUT
            )
        if on_rows and account.read % 200 == 0:
            on_rows(rows, account.read)
    account.finish(rows)
    account.refuse_nothing(path)
    return records, entries, account


def _entry(row: int, kept: bool, reason: str, **more: Any) -> dict:
    return dict.fromkeys(COLUMNS) | {"row": row, "kept": kept, "reason": reason} | more


def _entries(records: dict[int, Record], found: Curated) -> dict[int, dict]:
    numbers = list(records)
    return {
        numbers[d.index]: _entry(
            numbers[d.index],
            d.kept,
            d.reason,
            like_row=None if d.twin is None else numbers[d.twin],
            likeness=d.likeness,
            question=" ".join(user_text_of(records[numbers[d.index]]).split())[:80],
            **_scores(d),
        )
        for d in found.decisions
    }


def _scores(decision: Decision) -> dict[str, float]:
    if (found := decision.difficulty) is None:
        return {}
    scores = {
        "ifd": found.ifd, "perplexity": found.perplexity, "perplexity_alone": found.alone,
    }  # fmt: skip
    return {name: float(f"{value:.4g}") for name, value in scores.items()}


def _write_report(file: TextIO, path: Path, entries: list[dict]) -> None:
    if path.suffix.lower() == ".csv":
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(entries)
        return
    for entry in entries:
        known = {name: value for name, value in entry.items() if value is not None}
        file.write(json.dumps(known, ensure_ascii=False) + "\n")


def _counted(entries: dict[int, dict], account: Account) -> CuratedFile:
    result = CuratedFile(
        read=len(entries), rejected=account.rejected, joined=account.joined, account=account
    )
    for row in sorted(entries):
        entry = entries[row]
        if entry["kept"]:
            result.kept += 1
            continue
        # Reasons of one kind belong together, whatever value of the row they name.
        reason = entry["reason"]
        if not reason.startswith(UNREADABLE):
            reason = reason.split(" (")[0]
        result.reasons[reason] += 1
        result.examples.setdefault(reason, (row, entry["question"] or ""))
    result.dropped = result.read - result.kept - result.rejected - result.joined
    return result
