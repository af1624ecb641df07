"""Files that appear when they are whole."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ift_course.errors import CourseError


@contextmanager
def appearing(path: Path) -> Iterator[TextIO]:
    """A file that is there when all is written, and not before. An empty one never appears."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with new.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            empty = file.tell() == 0
        if empty:
            path.unlink(missing_ok=True)  # of an earlier run
        else:
            os.replace(new, path)
    except FileNotFoundError:
        raise CourseError(f"There is no folder {path.parent}; make it first.") from None
    except PermissionError as error:
        raise CourseError(f"{path} cannot be written ({error.strerror}).") from None
    finally:
        new.unlink(missing_ok=True)
