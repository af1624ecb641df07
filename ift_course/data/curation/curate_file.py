"""Curate a data file: every row is selected, dropped or rejected, and a report gives the reason."""

from __future__ import annotations

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
from ift_course.data.reading import PROGRESS_ROWS, Account, parsed_rows, write_reject
from ift_course.data.records import BadRow, Record
from ift_course.data.writing import as_row, open_output
from ift_course.errors import CourseError

UNUSABLE = "cannot be used: "  # before the reason of a row that did not become a record
JOINED = "a turn of another row's conversation"
LEFT_OUT = "a reply that is in no conversation"
COLUMNS: tuple[str, ...] = (
    "row", "selected", "reason", "similar_row", "similarity", "ifd", "perplexity",
    "unconditional_perplexity", "question",
)  # fmt: skip
QUESTION_CHARACTERS = 80  # of a question in the report

Entry = dict[str, Any]  # one line of the report; its keys are COLUMNS


@dataclass
class CuratedFile:
    """What became of the rows: read = selected + dropped + rejected + joined.

    Attributes:
        read: all rows.
        selected: rows that were written.
        dropped: usable rows that were not chosen.
        rejected: rows that cannot be used.
        joined: rows that are a turn of another row's conversation.
        account: the reader's account of the file, with the columns that are not used.
        reasons: the reasons of all rows that were not selected, and how many rows have each.
        examples: for each reason, its first row and the question in it.
        rejects: the file with the rejected rows, if there are any.
    """

    read: int = 0
    selected: int = 0
    dropped: int = 0
    rejected: int = 0
    joined: int = 0
    account: Account = field(default_factory=Account)
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, tuple[int, str]] = field(default_factory=dict)
    rejects: Path | None = None


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
    """Write the best records of a file of any known schema as `messages` in JSONL.

    The order of the file does not change. All of its records are in memory.

    Args:
        path: the file to read.
        out: the file to write.
        keep: how many records to keep, at most.
        report: a .jsonl or .csv file for one line about each row of the file.
        rejects: the file for rows that cannot be used, as in `convert`; OUT.rejects.jsonl if None.
        on_rows: is called now and then with the progress of the reading.
        options: the other arguments of `curate`.

    Raises:
        CourseError: the file cannot be read, no row of it is usable, or none is selected (the
            report is written all the same).
    """
    path, out = Path(path), Path(out)
    rejects = Path(rejects) if rejects else out.with_name(f"{out.stem}.rejects.jsonl")
    report = Path(report) if report else None
    _check_names(path, out, rejects, report)
    with open_output(out) as out_file:
        report_context = open_output(report) if report else nullcontext()
        with open_output(rejects) as rejects_file, report_context as report_file:
            records, entries, account = _read(path, rejects_file, on_rows)
            curated = curate(list(records.values()), keep, **options)
            entries |= _record_entries(records, curated)
            if report and report_file:
                _write_report(report_file, report, [entries[row] for row in sorted(entries)])
        result = _summarize(entries, account)
        if not result.selected:
            reason, number = result.reasons.most_common(1)[0]
            raise CourseError(
                f"No row of {path} was selected; {number} of {result.read}: {reason}."
            )
        for record in curated.records:
            out_file.write(json.dumps(as_row(record), ensure_ascii=False) + "\n")
    result.rejects = rejects if result.rejected else None
    return result


def _check_names(path: Path, out: Path, rejects: Path, report: Path | None) -> None:
    if report and report.suffix.lower() not in (".csv", ".jsonl"):
        raise CourseError(f"A report is a .csv or .jsonl file, but {report} has another suffix.")
    files = [path, out, rejects, *([report] if report else [])]
    if len({file.absolute().resolve() for file in files}) < len(files):
        raise CourseError("The input, --out, --rejects and --report must be different files.")


def _read(
    path: Path, rejects_file: TextIO, on_rows: Callable[[Rows, int], None] | None
) -> tuple[dict[int, Record], dict[int, Entry], Account]:
    """The records of a file by their row, and entries of the report about the other rows."""
    rows, account = Rows(path), Account()
    records: dict[int, Record] = {}
    entries: dict[int, Entry] = {}
    for number, row, result in parsed_rows(rows):
        record = account.add(number, result)
        if record is not None:
            records[number] = record
        elif isinstance(result, BadRow):
            write_reject(rejects_file, number, row, str(result))
            entries[number] = _entry(number, False, f"{UNUSABLE}{result}")
        else:
            reason = JOINED if isinstance(result, Joined) else LEFT_OUT
            entries[number] = _entry(number, False, reason)
        if on_rows and account.read % PROGRESS_ROWS == 0:
            on_rows(rows, account.read)
    account.add_file_notes(rows)
    account.require_usable_rows(path)
    return records, entries, account


def _entry(row: int, selected: bool, reason: str, **values: Any) -> Entry:
    return dict.fromkeys(COLUMNS) | {"row": row, "selected": selected, "reason": reason} | values


def _record_entries(records: dict[int, Record], curated: Curated) -> dict[int, Entry]:
    numbers = list(records)
    entries = {}
    for decision in curated.decisions:
        number, similar_to = numbers[decision.index], decision.similar_to
        question = " ".join(user_text_of(records[number]).split())
        entries[number] = _entry(
            number,
            decision.selected,
            decision.reason,
            similar_row=None if similar_to is None else numbers[similar_to],
            similarity=decision.similarity,
            question=question[:QUESTION_CHARACTERS],
            **_scores(decision),
        )
    return entries


def _scores(decision: Decision) -> dict[str, float]:
    difficulty = decision.difficulty
    if difficulty is None:
        return {}
    scores = {
        "ifd": difficulty.ifd,
        "perplexity": difficulty.perplexity,
        "unconditional_perplexity": difficulty.unconditional_perplexity,
    }
    return {name: float(f"{value:.4g}") for name, value in scores.items()}


def _write_report(file: TextIO, path: Path, entries: list[Entry]) -> None:
    if path.suffix.lower() == ".csv":
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(entries)
        return
    for entry in entries:
        values = {name: value for name, value in entry.items() if value is not None}
        file.write(json.dumps(values, ensure_ascii=False) + "\n")


def _summarize(entries: dict[int, Entry], account: Account) -> CuratedFile:
    result = CuratedFile(
        read=len(entries), rejected=account.rejected, joined=account.joined, account=account
    )
    for row in sorted(entries):
        entry = entries[row]
        if entry["selected"]:
            result.selected += 1
            continue
        # Reasons of one kind are counted together, whatever value of the row they name.
        reason = entry["reason"]
        if not reason.startswith(UNUSABLE):
            reason = reason.split(" (")[0]
        result.reasons[reason] += 1
        result.examples.setdefault(reason, (row, entry["question"] or ""))
    result.dropped = result.read - result.selected - result.rejected - result.joined
    return result
