"""Curating a data file: every row of it is kept, dropped or rejected, and the report says which."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from ift_course.data.convert import Converted, adapted, appearing, as_row, reject
from ift_course.data.files import Rows
from ift_course.data.quality.curation import Curated, Decision, curate
from ift_course.data.quality.texts import question
from ift_course.data.records import BadRow, Record
from ift_course.errors import CourseError

UNREADABLE = "cannot be used: "  # before the reason of a row that is no record
COLUMNS = (
    "row", "kept", "reason", "like_row", "likeness", "ifd", "perplexity", "perplexity_alone",
    "question",
)  # fmt: skip


@dataclass
class CuratedFile:
    """What became of the rows: read = kept + dropped + rejected.

    reasons: of the dropped and rejected, how often. examples: the first row with each, and what it
    asks.
    """

    read: int = 0
    kept: int = 0
    dropped: int = 0
    rejected: int = 0
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
    with appearing(out) as good:
        report_file = appearing(report) if report else nullcontext()
        with appearing(rejects) as bad, report_file as lines:
            records, entries = _read(path, bad, on_rows)
            found = curate(list(records.values()), keep, **options)
            entries |= _entries(records, found)
            if lines:
                _write_report(lines, report, [entries[row] for row in sorted(entries)])
        result = _counted(entries, rejected=len(entries) - len(records))
        if not result.kept:
            why, rows = result.reasons.most_common(1)[0]
            raise CourseError(f"No row of {path} was kept; {rows} of {result.read}: {why}.")
        for record in found.records:
            good.write(json.dumps(as_row(record, "messages"), ensure_ascii=False) + "\n")
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
) -> tuple[dict[int, Record], dict[int, dict]]:
    """The records of a file by their row, and entries of the report about the other rows."""
    rows, found = Rows(path), Converted()
    records: dict[int, Record] = {}
    entries: dict[int, dict] = {}
    for number, row, result in adapted(rows):
        found.read += 1
        if isinstance(result, BadRow):
            reject(found, bad, number, row, str(result))
            entries[number] = _entry(number, False, f"{UNREADABLE}{result}")
        else:
            records[number] = result.record
        if on_rows and found.read % 200 == 0:
            on_rows(rows, found.read)
    if not records:
        what = f"None of the {found.read} rows" if found.read else "There is no row"
        why = f"; {found.first_reason}" if found.first_reason else ""
        raise CourseError(f"{what} of {path} is usable{why}.")
    return records, entries


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
            question=" ".join(question(records[numbers[d.index]]).split())[:80],
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


def _counted(entries: dict[int, dict], rejected: int) -> CuratedFile:
    result = CuratedFile(read=len(entries), rejected=rejected)
    for row in sorted(entries):
        entry = entries[row]
        if entry["kept"]:
            result.kept += 1
            continue
        # Reasons of one kind belong together, whatever value of the row they name.
        reason = entry["reason"].split(" (")[0]
        result.reasons[reason] += 1
        result.examples.setdefault(reason, (row, entry["question"] or ""))
    result.dropped = result.read - result.kept - result.rejected
    return result
