"""The bytes of a data file, unpacked and as UTF-8, or one sentence about what the file is."""

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ift_course.errors import CourseError

BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError)

# How packed files begin, and what opens them.
PACKED: dict[bytes, Callable[[BinaryIO], BinaryIO]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"\x28\xb5\x2f\xfd": lambda file: _zstandard(file),
}
ARCHIVES = {
    b"PK\x03\x04": "a ZIP archive or an Excel file; unpack it, or save the sheet as CSV",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"%PDF": "a PDF document, not data",
    b"SQLite format": "a SQLite database; export the table as CSV or JSONL",
    b"\x80\x04": "a Python pickle, which can run code when it is opened; save the data as JSONL",
    b"\x80\x05": "a Python pickle, which can run code when it is opened; save the data as JSONL",
    b"version https://git-lfs": "a pointer of Git LFS, not the data itself; run `git lfs pull` in "
    "its repository and try again",
}
# A file of pyarrow, and a stream, as `datasets` writes it.
ARROW = (b"ARROW1", b"\xff\xff\xff\xff")
ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Opened:
    """An open file of text in UTF-8.

    Attributes:
        file: yields the unpacked bytes.
        head: its first bytes.
        encoding: what it was recoded from, "" for UTF-8.
        packed: whether it is unpacked while it is read.
    """

    def __init__(self, path: Path):
        """Raises CourseError for no such file, an empty one, and one that holds no rows."""
        with open_raw(path) as raw:
            start = raw.read(16)
        unpack = next((opener for mark, opener in PACKED.items() if start.startswith(mark)), None)
        self.packed = unpack is not None
        try:
            # Its beginning from a handle of its own: not every stream can go back.
            with open_raw(path) as raw:
                begin = (unpack(raw) if unpack else raw).read(65536)
        except BROKEN as error:
            raise CourseError(
                f"{path} is damaged and cannot be unpacked ({reason(error)}); copy it again."
            ) from None
        self._raw = open_raw(path)
        file = unpack(self._raw) if unpack else self._raw
        self.encoding = next((name for mark, name in ENCODINGS if begin.startswith(mark)), "")
        if self.encoding:
            file = codecs.EncodedFile(file, "utf-8", self.encoding)
            begin = begin.decode(self.encoding, errors="replace").encode()
        self.file, self.head = file, begin.removeprefix(codecs.BOM_UTF8)
        _refuse_what_is_no_data(path, self.head)

    def position(self, read: int) -> int:
        """How far the reading is, in bytes of the file on disk. read: bytes of text so far."""
        return self._raw.tell() if self.packed or self.encoding else read

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()


def open_raw(path: Path) -> BinaryIO:
    """The file itself. Raises CourseError when it is not there or may not be read."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise CourseError(f"There is no file {path}; check the name and the folder.") from None
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}).") from None


def _zstandard(file: BinaryIO) -> BinaryIO:
    import pyarrow

    stream = pyarrow.CompressedInputStream(pyarrow.PythonFile(file, "r"), "zstd")
    return io.BufferedReader(stream)


def _refuse_what_is_no_data(path: Path, head: bytes) -> None:
    if not head.strip():
        raise CourseError(f"{path} is empty.")
    for mark, what in ARCHIVES.items():
        if head.startswith(mark):
            raise CourseError(f"{path} is {what}.")
    if len(head) > 262 and head[257:262] == b"ustar":
        raise CourseError(f"{path} is a tar archive; unpack it first: tar xf {path}")
    if head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise CourseError(
            f"{path} is a web page, not the data; download the file itself (on the Hub: "
            "the button beside its name)."
        )
    if not head.startswith((b"PAR1", *ARROW)) and head.count(0) * 3 > len(head):
        raise CourseError(
            f"{path} looks like UTF-16 without its mark at the beginning; save it as UTF-8: "
            f"iconv -f UTF-16LE -t UTF-8 {path.name} > new{path.suffix}"
        )


def reason(error: Exception) -> str:
    """What a library says, as a part of a sentence."""
    return " ".join(str(error).split()).rstrip(".")[:120]
