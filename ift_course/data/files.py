"""Rows of a data file, one after the other, in memory that does not grow with the file.

A row that cannot be read is handed on as a `BadRow` in its place, so that whoever counts the rows
counts it too.
"""

import codecs
import csv
import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from ift_course.data.csv_lines import CsvLines, delimiter, not_utf8
from ift_course.data.fields import named
from ift_course.data.opening import ARROW, BROKEN, Opened, open_raw, reason
from ift_course.data.records import BadRow
from ift_course.errors import CourseError

ENDINGS = (".jsonl", ".json", ".parquet", ".csv")
PACKED_ENDINGS = (".gz", ".bz2", ".xz", ".zst")
LONGEST_CELL = 16 * 2**20  # an unclosed quote would swallow the rest of a CSV file
WINDOW = 2**20  # characters of JSON looked at together; a longer row widens it
BETWEEN = re.compile(r"[\s,]*")
BATCH = 500  # rows of Parquet in memory at once
# The keys under which files keep their rows when they are one JSON object.
WRAPPERS = ("data", "rows", "examples", "instances", "items", "records")
SPLITS = ("train", "validation", "test", "valid", "dev")

Numbered = tuple[int, Any]  # a row's number from 1 (in a JSONL file its line) and the row or BadRow


class Rows:
    """The rows of a JSON, JSONL, Parquet, Arrow, CSV or TSV file, or of a `save_to_disk` folder.

    Iterate to get (number, row). The kind is decided by what the file holds, not by its name,
    except CSV and TSV. Text may be packed (.gz, .bz2, .xz, .zst) and in UTF-16 or UTF-32.

    Attributes:
        done, size: how far the reading is, in bytes or rows.
        notes: what was read in another way than it stands there, and what beside the rows is not
            used.
    """

    def __init__(self, path: str | Path):
        """Raises CourseError when there is no such file, it is empty or of another kind."""
        self.path = Path(path)
        self.done = 0
        self.notes: list[str] = []
        self.unused: list[str] = []
        if self.path.is_dir():
            self.kind, self._read, self._table = "Arrow", self._dataset, _saved_dataset(self.path)
            self.size = len(self._table)
            return
        with Opened(self.path) as opened:
            head, recoded = opened.head, opened.encoding
        if recoded:
            self.notes.append(f"read as {recoded.upper()}")
        if head.startswith(b"PAR1"):
            self.kind, self._read, self.size = "Parquet", self._parquet, self._parquet_rows()
            return
        self.size = self.path.stat().st_size
        if head.startswith(ARROW):
            self.kind, self._read = "Arrow", self._arrow
            return
        self.kind, self._read = self._kind_of_text(head)

    def _kind_of_text(self, head: bytes):
        suffix, start = _suffix(self.path), head.lstrip()
        if suffix in (".csv", ".tsv"):
            return suffix[1:].upper(), self._csv
        if start.startswith(b"["):
            return "JSON", self._array
        if start.startswith(b"{") and _over_many_lines(start):
            return "JSON", self._objects
        if start.startswith(b"{") or suffix in (".json", ".jsonl", ".ndjson"):
            return "JSONL", self._lines
        if suffix == ".parquet":
            raise CourseError(f"{self.path} is not a Parquet file, whatever its name says.")
        raise CourseError(
            f"{self.path} is neither JSON nor JSONL nor Parquet nor Arrow; name a CSV file .csv."
        )

    def __iter__(self) -> Iterator[Numbered]:
        try:
            yield from self._read()
        except BROKEN as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise CourseError(
                f"{self.path} is damaged from here on, after byte {self.done:,} "
                f"({reason(error)}); copy or download it again."
            ) from None

    def _lines(self) -> Iterator[Numbered]:
        return self._unwrapped(self._jsonl())

    def _jsonl(self) -> Iterator[Numbered]:
        read = 0
        with Opened(self.path) as opened:
            for number, line in enumerate(opened.file, 1):
                read += len(line)
                self.done = opened.position(read)
                line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if line.strip():
                    yield number, _parsed(line)

    def _array(self) -> Iterator[Numbered]:
        return self._json(array=True)

    def _objects(self) -> Iterator[Numbered]:
        return self._unwrapped(self._json(array=False), alone=True)

    def _unwrapped(self, rows: Iterator[Numbered], alone: bool = False) -> Iterator[Numbered]:
        """The rows, or those inside a file's only object, as {"data": [...]}.

        alone: such an object over many lines is meant to be the whole file, so without rows in it
            it is an error.
        """
        first, second = next(rows, None), next(rows, None)
        if first is None:
            return
        if second is None:
            inner = self._rows_inside(first[1])
            if inner is not None:
                yield from enumerate(inner, 1)
                return
            if alone and not _is_conversation(first[1]):
                raise CourseError(
                    f"{self.path.name}, row 1: the file is one JSON object over many lines; "
                    "write a list of rows, or one row on each line."
                )
        yield from chain((first,), (second,) if second else (), rows)

    def _rows_inside(self, whole: Any) -> list | None:
        if not isinstance(whole, Mapping):
            return None
        tables = [k for k in (*WRAPPERS, *SPLITS) if _is_table(whole.get(k))]
        if len(tables) > 1:
            raise CourseError(
                f"{self.path} holds several lists of rows ({named(tables)}); write the one you "
                "mean to a file of its own."
            )
        if not tables:
            return None
        [name] = tables
        self.notes.append(f'the rows are in "{name}"')
        self.unused += [f"{key} (beside the rows)" for key in whole if key != name]
        # The Hub's viewer wraps each row once more.
        viewer = all(isinstance(row, Mapping) and "row_idx" in row for row in whole[name])
        return [row["row"] for row in whole[name]] if viewer else list(whole[name])

    def _json(self, array: bool) -> Iterator[Numbered]:
        """The rows of an array, or objects one after the other, each over many lines.

        The standard decoder reads one row at a time from a window on the file. (ijson would refuse
        the whole file for one NaN or big number, and turn half a character into a "?".)
        """
        decoder = json.JSONDecoder(parse_int=_integer)
        utf8 = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        number, text, at, line = 0, "", 0, 1
        read = 0
        with Opened(self.path) as opened:

            def broken(why: str) -> CourseError:
                place = f"row {number + 1}, line {line + text.count(chr(10), 0, at)}"
                return CourseError(
                    f"{self.path.name}, {place}: not valid JSON ({why}), and what comes after it "
                    "cannot be found; mend that row, or write one row on each line."
                )

            def more() -> bool:
                nonlocal text, at, line, read
                line += text.count("\n", 0, at)
                chunk = opened.file.read(max(WINDOW, len(text) - at))
                read += len(chunk)
                self.done = opened.position(read)
                text, at = text[at:] + utf8.decode(chunk, final=not chunk), 0
                return bool(chunk)

            more()
            if array:
                at = text.index("[") + 1
            while True:
                at = BETWEEN.match(text, at).end()
                if at == len(text):
                    if more():
                        continue
                    if array:
                        raise broken("it ends before its closing bracket")
                    return
                if array and text[at] == "]":
                    if text[at + 1 :].strip() or (more() and text[at + 1 :].strip()):
                        raise broken("there is text after its closing bracket")
                    return
                try:
                    row, end = decoder.raw_decode(text, at)
                except json.JSONDecodeError as error:
                    if len(text) - at < LONGEST_CELL and more():
                        continue
                    raise broken(error.msg.removesuffix(" at")) from None
                except RecursionError:
                    raise broken("lists in lists without end") from None
                if end == len(text) and more():
                    continue  # a number may go on in the next window
                number, at = number + 1, end
                yield number, row

    def _csv(self) -> Iterator[Numbered]:
        csv.field_size_limit(LONGEST_CELL)
        with Opened(self.path) as opened:
            lines = CsvLines(opened, self._at)
            header = lines.peek()
            reader = csv.reader(lines, delimiter=delimiter(header, self.kind), strict=True)
            try:
                names = next(reader, [])
            except csv.Error as error:
                raise CourseError(f"{self.path.name}: no header line ({error}).") from None
            lines.new_row()
            number = 0
            while True:
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    number += 1
                    yield number, lines.broken(error)
                    lines.new_row()
                    continue
                if cells:
                    number += 1
                    yield number, lines.checked(_named(names, cells))
                lines.new_row()

    def _at(self, position: int) -> None:
        self.done = position

    def _parquet_rows(self) -> int:
        return self._open_parquet().metadata.num_rows

    def _open_parquet(self):
        import pyarrow
        import pyarrow.parquet

        try:
            return pyarrow.parquet.ParquetFile(self.path, pre_buffer=False)
        except (pyarrow.ArrowException, OSError) as error:
            raise CourseError(f"{self.path} is a damaged Parquet file ({reason(error)}).") from None

    def _arrow(self) -> Iterator[Numbered]:
        import pyarrow

        with open_raw(self.path) as file:
            packed = file.read(6) != b"ARROW1"
            file.seek(0)
            try:
                opener = pyarrow.ipc.open_stream if packed else pyarrow.ipc.open_file
                table = opener(file).read_all()
            except (pyarrow.ArrowException, OSError) as error:
                raise CourseError(
                    f"{self.path} is a damaged Arrow file ({reason(error)})."
                ) from None
            number = 0
            for batch in table.to_batches(BATCH):
                for row in _rows_of(batch):
                    number += 1
                    yield number, row
        self.done = self.size

    def _dataset(self) -> Iterator[Numbered]:
        for number, row in enumerate(self._table, 1):
            self.done = number
            yield number, row

    def _parquet(self) -> Iterator[Numbered]:
        import pyarrow

        batches = self._open_parquet().iter_batches(batch_size=BATCH)
        while True:
            try:
                batch = next(batches, None)
            except (pyarrow.ArrowException, OSError) as error:
                raise CourseError(
                    f"{self.path}, row {self.done + 1}: damaged from here on ({reason(error)})."
                ) from None
            if batch is None:
                return
            for row in _rows_of(batch):
                self.done += 1
                yield self.done, row


def _over_many_lines(start: bytes) -> bool:
    text = start.decode("utf-8", errors="replace")
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):  # longer than this beginning of the file, or broken
        return text.split("\n", 1)[0].strip() == "{"
    return "\n" in text[:end]


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 4000 else float(digits)


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return not_utf8(line)
    except json.JSONDecodeError as error:
        return BadRow("not valid JSON", f"{error.msg.removesuffix(' at')} at column {error.colno}")
    except (ValueError, RecursionError) as error:
        return BadRow("not readable as JSON", reason(error))


def _suffix(path: Path) -> str:
    """The ending that tells the kind, without that of packing: .csv of data.csv.gz."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in PACKED_ENDINGS:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(r, Mapping) for r in value)


def _is_conversation(row: Any) -> bool:
    from ift_course.data.schemas import detect

    return isinstance(row, Mapping) and detect(row) is not None


def _saved_dataset(folder: Path):
    """What `datasets.save_to_disk` wrote. Raises CourseError for any other folder."""
    if (folder / "dataset_dict.json").exists():
        splits = sorted(p.name for p in folder.iterdir() if p.is_dir())
        raise CourseError(
            f"{folder} holds several splits ({named(splits)}); give one: {folder / splits[0]}"
            if splits
            else f"{folder} says it holds splits, and there are none; copy it again."
        )
    if not (folder / "state.json").exists():
        files = sorted(p.name for p in folder.rglob("*") if p.suffix.lower() in ENDINGS)
        hint = f", for instance {files[0]}" if files else ""
        raise CourseError(f"{folder} is a folder; give one {_or(ENDINGS)} file{hint}.")
    from datasets import load_from_disk

    try:
        return load_from_disk(str(folder))
    except Exception as error:  # whatever a damaged folder makes of pyarrow and datasets
        raise CourseError(
            f"{folder} cannot be read as a saved data set ({reason(error)})."
        ) from None


def _named(names: list[str], cells: list[str]) -> dict[str, str] | BadRow:
    if len(cells) > len(names):
        return BadRow(f"{len(cells)} cells, but the header names {len(names)} columns")
    # An empty cell is how CSV says that there is nothing.
    return {name: cell for name, cell in zip(names, cells, strict=False) if cell != ""}


def _rows_of(batch) -> list[Any]:
    try:
        return batch.to_pylist()
    except (ValueError, OverflowError) as error:  # UnicodeDecodeError is one of them
        if batch.num_rows == 1:
            return [BadRow("a value cannot be read", reason(error))]
        return [row for i in range(batch.num_rows) for row in _rows_of(batch.slice(i, 1))]


def _or(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
