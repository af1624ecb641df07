"""Writing to disk: a file appears whole or not at all, and a full disk is one sentence."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ift_course.errors import CourseError

FULL_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# What safetensors and torch write into exceptions of their own, which carry no errno.
FULL_DISK_TEXTS = ("No space left", "File too large", "PytorchStreamWriter", "unexpected pos")


@contextmanager
def atomic_writer(path: Path, *, drop_empty: bool = False) -> Iterator[TextIO]:
    """Open a UTF-8 text file that replaces `path` when the block ends without an error.

    A full disk, an exception or Ctrl-C leaves the old file as it was. Lines end with a line feed
    on every platform.

    Args:
        path: the file to write; its folder must exist.
        drop_empty: when nothing was written, remove `path` instead of leaving an empty file.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with scratch.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            is_empty = file.tell() == 0
        if is_empty and drop_empty:
            path.unlink(missing_ok=True)
        else:
            os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def atomic_write_text(path: Path, text: str) -> None:
    """Write a whole text file, or leave the old one as it was."""
    with atomic_writer(path) as file:
        file.write(text)


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn the errors of a full or read-only disk into one sentence.

    Args:
        folder: what is being written, as the sentence names it.

    Raises:
        CourseError: the disk is full, or `folder` cannot be written or is not a folder.
    """
    try:
        yield
    except CourseError:
        raise
    except Exception as error:
        if _is_full_disk(error):
            raise CourseError(
                f"There is no space left to write {folder}; free some space or choose another "
                "folder, and run the same command again."
            ) from error
        if isinstance(error, OSError) and error.errno in {errno.EACCES, errno.EROFS, errno.EPERM}:
            raise CourseError(
                f"{folder} cannot be written ({error.strerror}); choose another folder."
            ) from error
        if isinstance(error, FileExistsError | NotADirectoryError):
            raise CourseError(f"{folder} is not a folder; choose another name.") from error
        raise


def _is_full_disk(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL_DISK:
            return True
        message = str(error)
        if any(text in message for text in FULL_DISK_TEXTS):
            return True
        error = error.__cause__ or error.__context__
    return False


def refuse_without_space(
    path: Path, needed_bytes: float, what: str, *, remedy: str = "choose another --out"
) -> None:
    """Raise CourseError when the disk has less free space than a result needs.

    Args:
        path: the file or folder that will be written; it need not exist yet.
        needed_bytes: the size of the result.
        what: the result as the subject of the sentence, such as "The export".
        remedy: what else a user can do than free some space.
    """
    existing = next(folder for folder in (path.absolute(), *path.absolute().parents)
                    if folder.is_dir())  # fmt: skip
    free_bytes = shutil.disk_usage(existing).free
    if free_bytes < needed_bytes:
        raise CourseError(
            f"{what} takes {needed_bytes / 1e9:.1f} GB, but only {free_bytes / 1e9:.1f} GB are "
            f"free for {path}; free some space or {remedy}."
        )
