"""Rows of a data file, one after the other, in memory that does not grow with the file.

A row that cannot be read is yielded as a `BadRow` in its place, so that every row is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from ift_course.data.csv_rows import csv_rows
from ift_course.data.fields import join_names
from ift_course.data.json_rows import (
    OnRead,
    json_array_rows,
    json_line_rows,
    json_object_rows,
    spans_lines,
)
from ift_course.data.records import NumberedRow
from ift_course.data.schemas import detect_schema
from ift_course.data.table_rows import (
    arrow_rows,
    open_parquet,
    open_saved_dataset,
    parquet_rows,
    saved_dataset_rows,
)
from ift_course.data.text_file import (
    ARROW_MAGIC,
    PARQUET_MAGIC,
    READ_ERRORS,
    TextFile,
    short_reason,
)
from ift_course.errors import CourseError

COMPRESSED_SUFFIXES = (".gz", ".bz2", ".xz", ".zst")
# The keys under which files keep their rows when they are one JSON object.
WRAPPER_KEYS = ("data", "rows", "examples", "instances", "items", "records")
SPLIT_KEYS = ("train", "validation", "test", "valid", "dev")


class Rows:
    """The rows of a JSON, JSONL, Parquet, Arrow, CSV or TSV file, or of a `save_to_disk` folder.

    Iterate to get (number, row). The content decides the kind, except for CSV and TSV, which are
    known by their suffix. Text may be compressed (.gz, .bz2, .xz, .zst) and in UTF-16 or UTF-32.

    Attributes:
        path: the file or folder.
        kind: "JSON", "JSONL", "Parquet", "Arrow", "CSV" or "TSV".
        position: how much was read, in the unit of `total`.
        total: the size: rows of Parquet files and saved folders, bytes of all others.
        notes: what was read in another way than it is written.
        unused: parts of the file outside its rows, which nothing reads.
    """

    def __init__(self, path: str | Path):
        """Look at the beginning of the file.

        Raises:
            CourseError: the file does not exist, is empty or is of an unknown kind.
        """
        self.path = Path(path)
        self.position = 0
        self.notes: list[str] = []
        self.unused: list[str] = []
        self.kind: str
        self.total: int
        self._read: Callable[[OnRead], Iterator[NumberedRow]]
        if self.path.is_dir():
            dataset = open_saved_dataset(self.path)
            self.kind, self.total = "Arrow", len(dataset)
            self._read = partial(saved_dataset_rows, dataset)
            return
        with TextFile(self.path) as file:
            head, encoding = file.head, file.encoding
        if encoding:
            self.notes.append(f"read as {encoding.upper()}")
        if head.startswith(PARQUET_MAGIC):
            self.kind, self.total = "Parquet", open_parquet(self.path).metadata.num_rows
            self._read = partial(parquet_rows, self.path)
            return
        self.total = self.path.stat().st_size
        if head.startswith(ARROW_MAGIC):
            self.kind, self._read = "Arrow", partial(arrow_rows, self.path)
            return
        self.kind, self._read = self._detect_text_kind(head)

    def _detect_text_kind(self, head: bytes) -> tuple[str, Callable[[OnRead], Iterator]]:
        suffix, start = _suffix(self.path), head.lstrip()
        if suffix in (".csv", ".tsv"):
            kind = suffix[1:].upper()
            return kind, partial(csv_rows, self.path, kind)
        if start.startswith(b"["):
            return "JSON", partial(json_array_rows, self.path)
        if start.startswith(b"{") and spans_lines(start):
            return "JSON", self._object_rows
        if start.startswith(b"{") or suffix in (".json", ".jsonl", ".ndjson"):
            return "JSONL", self._line_rows
        if suffix == ".parquet":
            raise CourseError(f"{self.path} is not a Parquet file, despite its name.")
        raise CourseError(
            f"{self.path} is neither JSON nor JSONL nor Parquet nor Arrow; name a CSV file .csv."
        )

    def __iter__(self) -> Iterator[NumberedRow]:
        try:
            yield from self._read(self._set_position)
        except READ_ERRORS as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise CourseError(
                f"{self.path} is damaged after byte {self.position:,} ({short_reason(error)}); "
                "copy or download it again."
            ) from None

    def _set_position(self, position: int) -> None:
        self.position = position

    def _line_rows(self, on_read: OnRead) -> Iterator[NumberedRow]:
        return self._unwrapped(json_line_rows(self.path, on_read), whole_file=False)

    def _object_rows(self, on_read: OnRead) -> Iterator[NumberedRow]:
        return self._unwrapped(json_object_rows(self.path, on_read), whole_file=True)

    def _unwrapped(self, rows: Iterator[NumberedRow], whole_file: bool) -> Iterator[NumberedRow]:
        """The rows, or those inside a file's only object, such as {"data": [...]}.

        Args:
            rows: the objects of the file.
            whole_file: whether a single object is meant to be the whole file, so that it is an
                error when it contains no rows.
        """
        first, second = next(rows, None), next(rows, None)
        if first is None:
            return
        if second is None:
            inner_rows = self._rows_inside(first[1])
            if inner_rows is not None:
                yield from enumerate(inner_rows, 1)
                return
            if whole_file and not _is_conversation(first[1]):
                raise CourseError(
                    f"{self.path.name}, row 1: the file is one JSON object over many lines; "
                    "write a list of rows, or one row on each line."
                )
        yield from chain((first,), (second,) if second else (), rows)

    def _rows_inside(self, value: Any) -> list[Any] | None:
        """The list of rows that an object contains, or None."""
        if not isinstance(value, Mapping):
            return None
        keys = [key for key in (*WRAPPER_KEYS, *SPLIT_KEYS) if _is_table(value.get(key))]
        if len(keys) > 1:
            raise CourseError(
                f"{self.path} holds several lists of rows ({join_names(keys)}); write the one you "
                "need to a file of its own."
            )
        if not keys:
            return None
        [name] = keys
        rows: list[Any] = value[name]
        self.notes.append(f'the rows are in "{name}"')
        self.unused += [f"{key} (outside the rows)" for key in value if key != name]
        # The Hub's viewer wraps each row once more.
        is_viewer = all(isinstance(row, Mapping) and "row_idx" in row for row in rows)
        return [row["row"] for row in rows] if is_viewer else list(rows)


def _suffix(path: Path) -> str:
    """The suffix that tells the kind, without that of the compression: .csv of data.csv.gz."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in COMPRESSED_SUFFIXES:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(r, Mapping) for r in value)


def _is_conversation(row: Any) -> bool:
    return isinstance(row, Mapping) and detect_schema(row) is not None
