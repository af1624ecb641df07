"""The bytes of a data file, decompressed and in UTF-8, or one sentence about what the file is."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from ift_course.data.records import BadRow
from ift_course.errors import CourseError

# What decompressing and decoding a damaged file raises.
READ_ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError)

# The first bytes of compressed files, and what opens them.
COMPRESSIONS: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"\x28\xb5\x2f\xfd": lambda file: _open_zstandard(file),
}
NOT_DATA = {
    b"PK\x03\x04": "a ZIP archive or an Excel file; unpack it, or save the sheet as CSV",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"%PDF": "a PDF document, not data",
    b"SQLite format": "a SQLite database; export the table as CSV or JSONL",
    b"\x80\x04": "a Python pickle, which can run code when it is opened; save the data as JSONL",
    b"\x80\x05": "a Python pickle, which can run code when it is opened; save the data as JSONL",
    b"version https://git-lfs": "a Git LFS pointer, not the data itself; run `git lfs pull` in "
    "its repository and try again",
}
PARQUET_MAGIC = b"PAR1"
# An Arrow file of pyarrow, and an Arrow stream, which `datasets` writes.
ARROW_MAGIC = (b"ARROW1", b"\xff\xff\xff\xff")
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
HEAD_BYTES = 65_536


class TextFile:
    """An open text file whose bytes are decompressed and recoded to UTF-8 as they are read.

    Attributes:
        stream: yields the bytes.
        head: the first 64 KiB, without a byte order mark.
        encoding: the file's own encoding, "" for UTF-8.
        is_compressed: whether the bytes are decompressed.
    """

    def __init__(self, path: Path):
        """Open the file.

        Raises:
            CourseError: the file does not exist, is empty, or is something other than data.
        """
        with open_bytes(path) as raw:
            magic = raw.read(16)
        decompress = next((f for mark, f in COMPRESSIONS.items() if magic.startswith(mark)), None)
        self.is_compressed = decompress is not None
        try:
            # The head comes from a handle of its own, because not every stream can seek back.
            with open_bytes(path) as raw:
                head: bytes = (decompress(raw) if decompress else raw).read(HEAD_BYTES)
        except READ_ERRORS as error:
            raise CourseError(
                f"{path} is damaged and cannot be decompressed ({short_reason(error)}); copy it "
                "again."
            ) from None
        self._raw = open_bytes(path)
        self.stream: Any = decompress(self._raw) if decompress else self._raw
        self.encoding = next((name for mark, name in BYTE_ORDER_MARKS if head.startswith(mark)), "")
        if self.encoding:
            self.stream = codecs.EncodedFile(self.stream, "utf-8", self.encoding)
            head = head.decode(self.encoding, errors="replace").encode()
        self.head = head.removeprefix(codecs.BOM_UTF8)
        _refuse_other_kinds(path, self.head)

    def position(self, bytes_read: int) -> int:
        """Translate a position in the stream into bytes of the file on disk.

        Args:
            bytes_read: how many bytes of `stream` were read so far.
        """
        return self._raw.tell() if self.is_compressed or self.encoding else bytes_read

    def __enter__(self) -> TextFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()


def open_bytes(path: Path) -> BinaryIO:
    """Open the file itself.

    Raises:
        CourseError: the file does not exist or may not be read.
    """
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise CourseError(f"There is no file {path}; check the name and the folder.") from None
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}).") from None


def _open_zstandard(file: BinaryIO) -> io.BufferedReader:
    import pyarrow

    stream = pyarrow.CompressedInputStream(pyarrow.PythonFile(file, "r"), "zstd")
    return io.BufferedReader(stream)


def _refuse_other_kinds(path: Path, head: bytes) -> None:
    if not head.strip():
        raise CourseError(f"{path} is empty.")
    for magic, kind in NOT_DATA.items():
        if head.startswith(magic):
            raise CourseError(f"{path} is {kind}.")
    if len(head) > 262 and head[257:262] == b"ustar":
        raise CourseError(f"{path} is a tar archive; unpack it first: tar xf {path}")
    if head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise CourseError(
            f"{path} is a web page, not the data; download the file itself (on the Hub: "
            "the button beside its name)."
        )
    if not head.startswith((PARQUET_MAGIC, *ARROW_MAGIC)) and head.count(0) * 3 > len(head):
        raise CourseError(
            f"{path} looks like UTF-16 without its byte order mark; save it as UTF-8: "
            f"iconv -f UTF-16LE -t UTF-8 {path.name} > new{path.suffix}"
        )


def not_utf8(raw: bytes) -> BadRow:
    """Explain bytes that are not UTF-8, which mostly come from an older Windows program."""
    detail = ""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        detail = f"its byte {error.start + 1}"
    try:
        raw.decode("cp1252")
    except UnicodeDecodeError:
        return BadRow("not UTF-8 text", detail)
    return BadRow(
        "not UTF-8 text but perhaps Windows-1252; save the file as UTF-8, for example with "
        "`iconv -f CP1252 -t UTF-8 old > new`",
        detail,
    )


def short_reason(error: Exception) -> str:
    """The message of a library's exception, short enough for a part of a sentence."""
    return " ".join(str(error).split()).rstrip(".")[:120]
