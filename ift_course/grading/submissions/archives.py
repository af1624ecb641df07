"""Zip and tar archives, read in memory: no member leads out of the archive or inflates it.

Nothing is unpacked to disk and no link is followed. How much an archive may hold is looked up in
its table of contents before any of it is inflated.
"""

from __future__ import annotations

import bz2
import calendar
import gzip
import io
import lzma
import stat
import tarfile
import time
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, NamedTuple

from ift_course.exercises import notebook_cells
from ift_course.grading.names import clean
from ift_course.grading.submissions.nodes import (
    TARS,
    ZIPS,
    InMemory,
    Node,
    Source,
    is_junk,
    reason_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed import WriteableBuffer

    # Fills in what a file is and holds, at this depth of archives in archives.
    ReadFile = Callable[[Node, Source, int], Node]

DEEPEST = 4  # archives in archives
MOST_MEMBERS = 50_000  # of an archive
MOST_BYTES = 1 << 30  # that an archive may hold, or this times its size, whichever is more:
MOST_RATIO = 100
LONGEST = 60.0  # seconds for reading an archive, and one more for each MB of its size
FOREIGN_ARCHIVES = {".7z": "7z", ".rar": "RAR", ".zst": "Zstandard", ".dmg": "DMG"}
MAYBE_CODE = (".txt", ".json", "")  # what browsers make of a notebook's ending
NOTES = (".txt", ".yml", ".yaml")  # what a system writes about the submissions
READING_ERRORS = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError,
                  OSError, ValueError, NotImplementedError, RuntimeError, KeyError)  # fmt: skip


class _Context(NamedTuple):
    """How far the reading of one archive may go.

    Attributes:
        read_file: Reads a member.
        depth: How many archives it lies in.
        allowed: Bytes that it may hold.
        deadline: For reading it, in seconds of `time.monotonic`.
    """

    read_file: ReadFile
    depth: int
    allowed: int
    deadline: float


def read_archive(node: Node, source: Source, depth: int, read_file: ReadFile) -> Node:
    """Adds the members of an archive to its node.

    Args:
        node: The archive; it gets a problem if it cannot be read.
        source: Its bytes.
        depth: How many archives it lies in.
        read_file: Reads a member.

    Returns:
        The same node.
    """
    node.kind = "archive"
    if depth >= DEEPEST:
        node.problem = f"Archives lie in archives more than {DEEPEST} deep."
        return node
    allowed = max(MOST_BYTES, MOST_RATIO * source.size) if depth == 0 else MOST_BYTES
    deadline = time.monotonic() + LONGEST + source.size / 1e6
    context = _Context(read_file, depth, allowed, deadline)
    is_zip = source.read(2) == b"PK" or node.name.lower().endswith(ZIPS)
    try:
        with source.open() as file:
            (_read_zip if is_zip else _read_tar)(node, file, context)
    except READING_ERRORS as error:
        node.problem = f"The archive cannot be read: {reason_of(error)}."
    if node.problem:
        node.children.clear()
    return node


class _Member(NamedTuple):
    """A file in an archive.

    Attributes:
        place: The parts of its path in the archive.
        size: In bytes, as the archive says.
        modified: In seconds.
        read: Gives its first bytes, at most so many.
    """

    place: tuple[str, ...]
    size: int
    modified: float
    read: Callable[[int], bytes]


def _read_zip(node: Node, file: IO[bytes], context: _Context) -> None:
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        node.problem = _too_much(len(infos), sum(x.file_size for x in infos), context.allowed)
        if node.problem:
            return
        for info in infos:
            is_link = stat.S_ISLNK(info.external_attr >> 16)
            modified = calendar.timegm((*info.date_time, 0, 0, 0))
            place = _place(info.filename)
            if place is None or is_link:
                _refuse(node, info.filename, "link" if is_link else "path out of the archive")
            elif info.is_dir():
                _folder(node, place)
            else:
                read = _zip_reader(archive, info)
                _add(node, _Member(place, info.file_size, modified, read), context)


def _zip_reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[int], bytes]:
    def read(most: int) -> bytes:
        with archive.open(info) as file:
            return file.read(most)

    return read


class _Capped(io.RawIOBase):
    """Reads no more than it is allowed, whatever a compressed stream holds."""

    def __init__(self, file: IO[bytes], allowed: int) -> None:
        self._file, self._left = file, allowed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        data = self._file.read(len(view))
        self._left -= len(data)
        if self._left < 0:
            raise ValueError("it holds too much")
        view[: len(data)] = data
        return len(data)


def _read_tar(node: Node, file: IO[bytes], context: _Context) -> None:
    head = file.read(6)
    file.seek(0)
    openers = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
    opener = openers.get(head[:2])
    stream = io.BufferedReader(_Capped(opener(file) if opener else file, context.allowed))
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for count, info in enumerate(archive, 1):
            node.problem = _too_much(count, 0, context.allowed)
            if node.problem:
                return
            place = _place(info.name)
            if place is None or not (info.isfile() or info.isdir()):
                reason = "path out of the archive" if place is None else "link or device"
                _refuse(node, info.name, reason)
            elif info.isdir():
                _folder(node, place)
            else:
                read = _tar_reader(archive, info)
                _add(node, _Member(place, info.size, info.mtime, read), context)


def _tar_reader(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[int], bytes]:
    def read(most: int) -> bytes:
        file = archive.extractfile(info)
        return file.read(most) if file else b""

    return read


def _too_much(members: int, size: int, allowed: int) -> str:
    """Why an archive is not opened; empty if it may be."""
    if members > MOST_MEMBERS:
        return f"The archive holds more than {MOST_MEMBERS:,} files; it was not opened."
    if size > allowed:
        return f"The archive holds more than {allowed >> 20:,} MB; it was not opened."
    return ""


def _place(name: str) -> tuple[str, ...] | None:
    """The parts of a member's name; None if it leads out of the archive or to nothing."""
    inner = PurePosixPath(name.replace("\\", "/").replace("\0", ""))
    parts = tuple(x for x in inner.parts if x != ".")
    return None if inner.is_absolute() or ".." in parts or ":" in name[:2] or not parts else parts


def _refuse(node: Node, name: str, reason: str) -> None:
    name = _unused_name(node, clean(name).replace("/", "\N{DIVISION SLASH}"))
    problem = f"A {reason}, which is not followed."
    node.children[name] = Node((*node.path, name), "file", problem=problem, junk=True)


def _folder(node: Node, parts: tuple[str, ...]) -> Node:
    """The folder at this place in an archive; made where it is missing."""
    for part in parts:
        child = node.children.get(part)
        if child is None or child.kind == "file":
            name = _unused_name(node, part)
            child = node.children[name] = Node((*node.path, name), "folder")
        node = child
    return node


def _unused_name(node: Node, name: str) -> str:
    """The name, or with a number if the archive holds two things of this name."""
    names: Iterator[str] = (f"{name} #{n}" for n in range(2, len(node.children) + 3))
    return next(x for x in (name, *names) if x not in node.children)


def _add(archive: Node, member: _Member, context: _Context) -> None:
    """Adds a member to an archive, with its content if a notebook may be in it."""
    if time.monotonic() > context.deadline:
        raise ValueError("it takes too long")
    folder = _folder(archive, member.place[:-1])
    name = _unused_name(folder, member.place[-1])
    node = folder.children[name] = Node((*folder.path, name), "file")
    if is_junk(node.path) or not _may_matter(name.lower()):
        node.junk = is_junk(node.path)
        return
    if member.size > notebook_cells.LARGEST:
        node.problem = notebook_cells.too_large(member.size)
        return
    try:
        data = member.read(member.size + 1)
    except READING_ERRORS as error:
        node.problem = f"The file cannot be read: {reason_of(error)}."
        return
    source = InMemory(data, member.modified)
    folder.children[name] = context.read_file(node, source, context.depth + 1)


def _may_matter(lower: str) -> bool:
    """Whether a file of this name, in lower case, may be work, an archive or a system's note."""
    suffix = PurePosixPath(lower).suffix
    return lower.endswith((*ZIPS, *TARS, ".py")) or ".ipynb" in lower or suffix in (
        *MAYBE_CODE, *NOTES, *FOREIGN_ARCHIVES)  # fmt: skip
