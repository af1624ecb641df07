"""Rows of Parquet and Arrow files, and of folders that `datasets.save_to_disk` wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.data.fields import join_names
from ift_course.data.records import BadRow, NumberedRow
from ift_course.data.text_file import open_bytes, short_reason
from ift_course.errors import CourseError

if TYPE_CHECKING:
    from datasets import Dataset
    from pyarrow import RecordBatch
    from pyarrow.parquet import ParquetFile

BATCH_ROWS = 500  # rows of a table that are in memory as Python objects at once
FILE_SUFFIXES = (".jsonl", ".json", ".parquet", ".csv")  # that a folder may hold


def open_parquet(path: Path) -> ParquetFile:
    """Open a Parquet file.

    Raises:
        CourseError: the file is damaged.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.ParquetFile(path, pre_buffer=False)
    except (pyarrow.ArrowException, OSError) as error:
        raise CourseError(f"{path} is a damaged Parquet file ({short_reason(error)}).") from None


def parquet_rows(path: Path, on_read: Callable[[int], None]) -> Iterator[NumberedRow]:
    """The rows of a Parquet file.

    Args:
        path: the file.
        on_read: is called with the number of rows read so far.

    Raises:
        CourseError: the file is damaged; the rows before the damage were yielded.
    """
    import pyarrow

    batches = open_parquet(path).iter_batches(batch_size=BATCH_ROWS)
    number = 0
    while True:
        try:
            batch = next(batches, None)
        except (pyarrow.ArrowException, OSError) as error:
            raise CourseError(
                f"{path}, row {number + 1}: the file is damaged from here on "
                f"({short_reason(error)})."
            ) from None
        if batch is None:
            return
        for row in _python_rows(batch):
            number += 1
            on_read(number)
            yield number, row


def arrow_rows(path: Path, on_read: Callable[[int], None]) -> Iterator[NumberedRow]:
    """The rows of an Arrow file or stream, which is read as a whole.

    Args:
        path: the file.
        on_read: is called at the end with the size of the file in bytes.

    Raises:
        CourseError: the file is damaged.
    """
    import pyarrow

    with open_bytes(path) as file:
        is_stream = file.read(6) != b"ARROW1"
        file.seek(0)
        try:
            opener = pyarrow.ipc.open_stream if is_stream else pyarrow.ipc.open_file
            table = opener(file).read_all()
        except (pyarrow.ArrowException, OSError) as error:
            raise CourseError(f"{path} is a damaged Arrow file ({short_reason(error)}).") from None
        number = 0
        for batch in table.to_batches(BATCH_ROWS):
            for row in _python_rows(batch):
                number += 1
                yield number, row
    on_read(path.stat().st_size)


def saved_dataset_rows(dataset: Dataset, on_read: Callable[[int], None]) -> Iterator[NumberedRow]:
    """The rows of a saved data set.

    Args:
        dataset: the data set, from `open_saved_dataset`.
        on_read: is called with the number of rows read so far.
    """
    for number, row in enumerate(dataset, 1):
        on_read(number)
        yield number, row


def open_saved_dataset(folder: Path) -> Dataset:
    """Open a folder that `datasets.save_to_disk` wrote.

    Raises:
        CourseError: the folder is of another kind, holds several splits, or is damaged.
    """
    if (folder / "dataset_dict.json").exists():
        splits = sorted(path.name for path in folder.iterdir() if path.is_dir())
        raise CourseError(
            f"{folder} holds several splits ({join_names(splits)}); name one: {folder / splits[0]}"
            if splits
            else f"{folder} lists splits but contains none of them; copy it again."
        )
    if not (folder / "state.json").exists():
        files = sorted(p.name for p in folder.rglob("*") if p.suffix.lower() in FILE_SUFFIXES)
        example = f", for example {files[0]}" if files else ""
        suffixes = f"{', '.join(FILE_SUFFIXES[:-1])} or {FILE_SUFFIXES[-1]}"
        raise CourseError(f"{folder} is a folder; name one {suffixes} file{example}.")
    from datasets import load_from_disk

    try:
        return load_from_disk(str(folder))  # pyright: ignore[reportReturnType]  # one split
    except Exception as error:  # pyarrow and datasets raise all kinds for a damaged folder
        raise CourseError(
            f"{folder} cannot be read as a saved data set ({short_reason(error)})."
        ) from None


def _python_rows(batch: RecordBatch) -> list[Any]:
    try:
        return batch.to_pylist()
    except (ValueError, OverflowError) as error:  # UnicodeDecodeError is a ValueError
        if batch.num_rows == 1:
            return [BadRow("a value cannot be read", short_reason(error))]
        return [row for i in range(batch.num_rows) for row in _python_rows(batch.slice(i, 1))]
