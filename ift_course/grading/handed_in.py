"""Everything in a folder or archive of submissions, as one tree. Archives in it are folders.

Nothing is unpacked to disk and no link is followed. How much an archive may hold is looked up in
its table of contents before any of it is inflated. Of a notebook only the code is kept, so a class
of any size fits in memory.
"""

import bz2
import calendar
import gzip
import hashlib
import io
import json
import lzma
import re
import stat
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from ift_course.exercises import notebook_cells
from ift_course.exercises.notebook_cells import CodeCell, Unreadable

DEEPEST = 4  # archives in archives
MOST_MEMBERS = 50_000  # of an archive
MOST_BYTES = 1 << 30  # that an archive may hold, or this times its size, whichever is more:
MOST_RATIO = 100
LONGEST = 60.0  # seconds for reading an archive, and one more for each MB of its size
JUNK_FOLDERS = {"__MACOSX", "__pycache__", ".git", ".vscode", ".idea", ".venv", "venv",
                "site-packages", "node_modules", ".pytest_cache", ".OTTER_LOG"}  # fmt: skip
JUNK_FILES = {".DS_Store", "Thumbs.db", "desktop.ini", ".OTTER_LOG"}
CHECKPOINTS = ".ipynb_checkpoints"
DEFINES = re.compile(rb"^def \w+\(.*:\s*$", re.MULTILINE)
ZIPS = (".zip",)
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz")
PACKED = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}  # of a single file
FOREIGN_ARCHIVES = {".7z": "7z", ".rar": "RAR", ".zst": "Zstandard", ".dmg": "DMG"}
MAYBE_CODE = (".txt", ".json", "")  # what browsers make of a notebook's ending
NOTES = (".txt", ".yml", ".yaml")  # what a system writes about the submissions
LARGEST_NOTE = 64 << 20
BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError,
          ValueError, NotImplementedError, RuntimeError, KeyError)  # fmt: skip


@dataclass
class Node:
    """A file, folder or archive.

    Attributes:
        path: Its parts below the root; empty for the root itself.
        kind: "folder", "archive" or "file".
        children: By name, of a folder or archive.
        problem: Why it could not be read; empty if it could, or if nobody tried.
        code: The code cells of a notebook or Python file.
        junk: Written by an editor or the operating system, or a link.
        checkpoint: A copy that Jupyter made on its own.
        modified: When, in seconds, as the system that collected it says; 0 inside of a student's
            own archive.
        sha: Of the bytes of a notebook or Python file.
        read: Gives the text of a small file, if it lies outside of any student's own archive.
    """

    path: tuple[str, ...]
    kind: str
    children: dict[str, "Node"] = field(default_factory=dict)
    problem: str = ""
    code: list[CodeCell] | None = None
    sha: str = ""
    junk: bool = False
    checkpoint: bool = False
    modified: float = 0.0
    read: Callable[[], str] | None = None

    @property
    def name(self) -> str:
        return self.path[-1] if self.path else ""

    @property
    def shown(self) -> str:
        """Its path, harmless on a terminal."""
        return clean("/".join(self.path))

    @property
    def stem(self) -> str:
        """The name without the ending of an archive or file."""
        name, lower = self.name, self.name.lower()
        if self.kind == "folder":
            return name
        endings = (*TARS, *ZIPS, ".ipynb.txt", ".ipynb.json", ".ipynb.gz", ".py.txt", ".ipynb")
        for ending in endings:
            if lower.endswith(ending) and len(name) > len(ending):
                return name[: -len(ending)]
        return PurePosixPath(name).stem

    def files(self) -> Iterator["Node"]:
        """All files in it, or itself; an archive that could not be opened counts as a file."""
        if self.kind == "file" or self.problem:
            yield self
        else:
            for name in sorted(self.children):
                yield from self.children[name].files()


def clean(text: str) -> str:
    """At most 1,000 characters, of which none steers a terminal or cannot be written."""
    harmless = (x if x.isprintable() or x == "\n" else "\N{REPLACEMENT CHARACTER}" for x in text)
    return "".join(harmless)[:1000]


def tree(root: Path, skip: Path | None = None) -> Node:
    """Reads everything below a folder, or in an archive or a single file.

    Args:
        root: As it was downloaded.
        skip: A folder in it that is left out, as a gradebook.

    Returns:
        The root. Its name is empty if it is a folder or an archive.
    """
    _READ.clear()
    if root.is_dir():
        return _folder(root, (), skip and skip.resolve())
    top = Node((), "folder")
    node = _file(Node((root.name,), "file"), _OnDisk(root), depth=0)
    if node.kind == "archive" and not node.problem:
        return _moved_up(node)
    top.children[node.name] = node
    return top


def _moved_up(node: Node) -> Node:
    """Of an archive that holds all, only what is in it tells the students apart."""
    node.path = node.path[1:]
    for child in node.children.values():
        _moved_up(child)
    return node


class _OnDisk:
    """A file's bytes, from the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.modified = path.stat().st_mtime

    def read(self, most: int) -> bytes:
        with open(self.path, "rb") as file:
            return file.read(min(most, self.size + 1))  # what it is asked for, it allocates

    def open(self) -> IO[bytes]:
        return open(self.path, "rb")


class _InMemory:
    """A file's bytes, out of an archive."""

    def __init__(self, data: bytes, modified: float = 0.0) -> None:
        self.data, self.size, self.modified = data, len(data), modified

    def read(self, most: int) -> bytes:
        return self.data[:most]

    def open(self) -> IO[bytes]:
        return io.BytesIO(self.data)


def _folder(path: Path, parts: tuple[str, ...], skip: Path | None) -> Node:
    node = Node(parts, "folder")
    try:
        children = sorted(path.iterdir())
    except OSError as error:
        node.problem = f"The folder cannot be read: {_short(error)}."
        return node
    for child in children:
        place = (*parts, child.name)
        if child.is_symlink():
            made = Node(place, "file", problem="A link, which is not followed.", junk=True)
        elif child.is_dir():
            if skip and child.resolve() == skip:
                continue
            made = _folder(child, place, skip)
        elif child.is_file():
            made = _file(Node(place, "file"), _OnDisk(child), depth=0)
        else:
            made = Node(place, "file", problem="Neither a file nor a folder.", junk=True)
        node.children[child.name] = made
    return node


def _file(node: Node, source: "_OnDisk | _InMemory", depth: int) -> Node:
    """Fills in what a file is and holds."""
    lower = node.name.lower()
    node.modified = source.modified if depth <= 1 else 0.0
    node.checkpoint = CHECKPOINTS in node.path
    node.junk = _is_junk(node.path)
    if node.junk:
        return node
    try:
        head = source.read(8)
        if lower.endswith((*ZIPS, *TARS)) or (head[:4] == b"PK\x03\x04" and ".ipynb" in lower):
            return _archive(node, source, depth)
        if lower.endswith((".ipynb", ".py")) or ".ipynb" in lower:
            return _packed_or_code(node, source, depth)
        suffix = PurePosixPath(lower).suffix
        if suffix in NOTES and depth <= 1 and source.size < LARGEST_NOTE:
            text = source.read(LARGEST_NOTE).decode(errors="replace")
            node.read = lambda: text
        if suffix in MAYBE_CODE:
            _maybe_code(node, source)
        elif name := FOREIGN_ARCHIVES.get(suffix):
            node.problem = f"A {name} archive, which cannot be read; ask for a zip."
    except BROKEN as error:
        node.problem = f"The file cannot be read: {_short(error)}."
    return node


def _is_junk(path: tuple[str, ...]) -> bool:
    inside = JUNK_FOLDERS.intersection(path[:-1])
    return bool(inside) or path[-1] in JUNK_FILES or path[-1].startswith("._")


def _packed_or_code(node: Node, source: "_OnDisk | _InMemory", depth: int) -> Node:
    """A notebook or script; "02.ipynb.gz" is unpacked first."""
    opener = PACKED.get(PurePosixPath(node.name.lower()).suffix)
    if opener:
        with opener(source.open()) as file:
            source = _InMemory(file.read(notebook_cells.LARGEST + 1), source.modified)
    _code(node, source)
    return node


def _maybe_code(node: Node, source: "_OnDisk | _InMemory") -> None:
    """A file without a telling name is code if it holds a notebook or defines a function."""
    if source.size > notebook_cells.LARGEST:
        return
    data = source.read(notebook_cells.LARGEST)
    notebook = data.lstrip()[:1] == b"{" and b'"cell_type"' in data
    if notebook or (len(data) < notebook_cells.LARGEST_SCRIPT and DEFINES.search(data)):
        _code(node, _InMemory(data))


def _code(node: Node, source: "_OnDisk | _InMemory") -> None:
    if source.size > notebook_cells.LARGEST:
        node.problem = notebook_cells.too_large(source.size)
        return
    data = source.read(notebook_cells.LARGEST + 1)
    node.sha = hashlib.sha256(data).hexdigest()
    key = node.sha, PurePosixPath(node.name.lower()).suffix
    if key not in _READ:
        try:
            _READ[key] = notebook_cells.parse(data, node.name), ""
        except Unreadable as error:
            _READ[key] = None, str(error)
    node.code, node.problem = _READ[key]


# A class in which everyone hands in a copy of the course has a few thousand files of a few hundred
# contents: by content and ending, for one call of `tree`.
_READ: dict[tuple[str, str], tuple[list[CodeCell] | None, str]] = {}


def notebook_of(code: list[CodeCell]) -> bytes:
    """The cells as a notebook without outputs, one line of code a line. Numbers stay."""
    texts = {cell.number: cell.source.splitlines(True) for cell in code}
    made = [
        {"cell_type": "code", "source": texts[number]}
        if number in texts
        else {"cell_type": "markdown", "source": []}
        for number in range(1, max(texts, default=0) + 1)
    ]
    return json.dumps({"nbformat": 4, "cells": made}, indent=0, sort_keys=True).encode()


class _Limits(NamedTuple):
    """depth: archives around it; allowed: bytes in it; deadline: for reading it, in seconds."""

    depth: int
    allowed: int
    deadline: float


def _archive(node: Node, source: "_OnDisk | _InMemory", depth: int) -> Node:
    node.kind = "archive"
    if depth >= DEEPEST:
        node.problem = f"Archives lie in archives more than {DEEPEST} deep."
        return node
    allowed = max(MOST_BYTES, MOST_RATIO * source.size) if depth == 0 else MOST_BYTES
    limits = _Limits(depth, allowed, time.monotonic() + LONGEST + source.size / 1e6)
    is_zip = source.read(2) == b"PK" or node.name.lower().endswith(ZIPS)
    try:
        with source.open() as file:
            (_zip if is_zip else _tar)(node, file, limits)
    except BROKEN as error:
        node.problem = f"The archive cannot be read: {_short(error)}."
    if node.problem:
        node.children.clear()
    return node


def _zip(node: Node, file: IO[bytes], limits: _Limits) -> None:
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        node.problem = _too_much(len(infos), sum(x.file_size for x in infos), limits.allowed)
        if node.problem:
            return
        for info in infos:
            linked = stat.S_ISLNK(info.external_attr >> 16)
            when = calendar.timegm((*info.date_time, 0, 0, 0))
            place = _place(node, info.filename)
            if place is None or linked:
                _refuse(node, info.filename, "link" if linked else "path out of the archive")
            elif info.is_dir():
                _within(node, place)
            else:
                _member(node, place, info.file_size, when, limits, lambda n, i=info: _inflate(
                    archive, i, n))  # fmt: skip


def _inflate(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    with archive.open(info) as file:
        return file.read(most)


class _Capped(io.RawIOBase):
    """Reads no more than it is allowed, whatever a compressed stream holds."""

    def __init__(self, file: IO[bytes], allowed: int) -> None:
        self._file, self._left = file, allowed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        data = self._file.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise ValueError("it holds too much")
        buffer[: len(data)] = data
        return len(data)


def _tar(node: Node, file: IO[bytes], limits: _Limits) -> None:
    head = file.read(6)
    file.seek(0)
    openers = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
    opener = openers.get(head[:2])
    stream = io.BufferedReader(_Capped(opener(file) if opener else file, limits.allowed))
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for count, member in enumerate(archive, 1):
            node.problem = _too_much(count, 0, limits.allowed)
            if node.problem:
                return
            place = _place(node, member.name)
            if place is None or not (member.isfile() or member.isdir()):
                reason = "path out of the archive" if place is None else "link or device"
                _refuse(node, member.name, reason)
            elif member.isdir():
                _within(node, place)
            else:
                _member(node, place, member.size, member.mtime, limits,
                        lambda n, m=member: archive.extractfile(m).read(n))  # fmt: skip


def _too_much(members: int, size: int, allowed: int) -> str:
    if members > MOST_MEMBERS:
        return f"The archive holds more than {MOST_MEMBERS:,} files; it was not opened."
    if size > allowed:
        return f"The archive holds more than {allowed >> 20:,} MB; it was not opened."
    return ""


def _place(node: Node, name: str) -> tuple[str, ...] | None:
    """The parts of a member's name; None if it leads out of the archive or to nothing."""
    inner = PurePosixPath(name.replace("\\", "/").replace("\0", ""))
    parts = tuple(x for x in inner.parts if x != ".")
    return None if inner.is_absolute() or ".." in parts or ":" in name[:2] or not parts else parts


def _refuse(node: Node, name: str, reason: str) -> None:
    name = _unused(node, clean(name).replace("/", "\N{DIVISION SLASH}"))
    problem = f"A {reason}, which is not followed."
    node.children[name] = Node((*node.path, name), "file", problem=problem, junk=True)


def _within(node: Node, parts: tuple[str, ...]) -> Node:
    """The folder of this place in an archive; made where it is missing."""
    for part in parts:
        child = node.children.get(part)
        if child is None or child.kind == "file":
            name = _unused(node, part)
            child = node.children[name] = Node((*node.path, name), "folder")
        node = child
    return node


def _unused(node: Node, name: str) -> str:
    """The name, or with a number if the archive holds two things of this name."""
    names = [name, *(f"{name} #{n}" for n in range(2, len(node.children) + 3))]
    return next(x for x in names if x not in node.children)


def _member(
    archive: Node,
    place: tuple[str, ...],
    size: int,
    modified: float,
    limits: _Limits,
    read: Callable[[int], bytes],
) -> None:
    if time.monotonic() > limits.deadline:
        raise ValueError("it takes too long")
    folder = _within(archive, place[:-1])
    name = _unused(folder, place[-1])
    node = folder.children[name] = Node((*folder.path, name), "file")
    lower = name.lower()
    if _is_junk(node.path) or not _is_read(lower):
        node.junk = _is_junk(node.path)
        return
    if size > notebook_cells.LARGEST:
        node.problem = notebook_cells.too_large(size)
        return
    try:
        data = read(size + 1)
    except BROKEN as error:
        node.problem = f"The file cannot be read: {_short(error)}."
        return
    folder.children[name] = _file(node, _InMemory(data, modified), limits.depth + 1)


def _is_read(lower: str) -> bool:
    suffix = PurePosixPath(lower).suffix
    return lower.endswith((*ZIPS, *TARS, ".py")) or ".ipynb" in lower or suffix in (
        *MAYBE_CODE, *NOTES, *FOREIGN_ARCHIVES)  # fmt: skip


def _short(error: Exception) -> str:
    text = "it is encrypted" if "password" in str(error) else str(error) or type(error).__name__
    return clean(text.rstrip("."))[:120]
