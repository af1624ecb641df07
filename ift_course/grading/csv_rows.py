"""The rows of a CSV file that an instructor or a learning platform wrote."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from ift_course.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Set
    from pathlib import Path


def read_rows(path: Path, needed: Set[str] = frozenset()) -> Iterator[tuple[int, dict[str, str]]]:
    """(row number in the file, row) with the names of the columns in lower case.

    Args:
        path: Of the file.
        needed: Columns that have to be there.

    Raises:
        CourseError: A column is missing, or the file is not CSV in UTF-8.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            # Excel writes semicolons where the comma is the decimal point.
            delimiter = ";" if head.count(";") > head.count(",") else ","
            reader = csv.DictReader(file, delimiter=delimiter)
            names = [(x or "").strip().lower().replace(" ", "_") for x in reader.fieldnames or []]
            if missing := needed - set(names):
                raise CourseError(
                    f"{path} has no column {', '.join(sorted(missing))}; "
                    f"it has: {', '.join(names)}."
                )
            reader.fieldnames = names
            for row in reader:
                yield reader.line_num, {k: (v or "").strip() for k, v in row.items() if k}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CourseError(f"{path} cannot be read as CSV in UTF-8: {error}.") from None
