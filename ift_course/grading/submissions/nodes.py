"""A file, folder or archive of submissions, and the bytes of a file."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from ift_course.grading.names import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ift_course.exercises.notebook_cells import CodeCell
    from ift_course.exercises.written import WrittenAnswer

JUNK_FOLDERS = {"__MACOSX", "__pycache__", ".git", ".vscode", ".idea", ".venv", "venv",
                "site-packages", "node_modules", ".pytest_cache", ".OTTER_LOG"}  # fmt: skip
JUNK_FILES = {".DS_Store", "Thumbs.db", "desktop.ini", ".OTTER_LOG"}
CHECKPOINTS = ".ipynb_checkpoints"
ZIPS = (".zip",)
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz")


@dataclass
class Node:
    """A file, folder or archive.

    Attributes:
        path: Its parts below the root; empty for the root itself.
        kind: "folder", "archive" or "file".
        children: By name, of a folder or archive.
        problem: Why it could not be read; empty if it could, or if nobody tried.
        code: The code cells of a notebook or Python file.
        answers: What its answer cells of open questions hold.
        sha: Of the bytes of a notebook or Python file.
        junk: Written by an editor or the operating system, or a link.
        checkpoint: A copy that Jupyter made on its own.
        modified: When, in seconds, according to the system that collected it; 0 inside a student's
            own archive.
        read: Gives the text of a small file, if it lies outside any student's own archive.
    """

    path: tuple[str, ...]
    kind: str
    children: dict[str, Node] = field(default_factory=dict)
    problem: str = ""
    code: list[CodeCell] | None = None
    answers: list[WrittenAnswer] = field(default_factory=list)
    sha: str = ""
    junk: bool = False
    checkpoint: bool = False
    modified: float = 0.0
    read: Callable[[], str] | None = None

    @property
    def name(self) -> str:
        """The last part of the path; empty for the root."""
        return self.path[-1] if self.path else ""

    @property
    def display_path(self) -> str:
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

    def files(self) -> Iterator[Node]:
        """All files in it, or itself; an archive that could not be opened counts as a file."""
        if self.kind == "file" or self.problem:
            yield self
        else:
            for name in sorted(self.children):
                yield from self.children[name].files()


def is_junk(path: tuple[str, ...]) -> bool:
    """Whether an editor or the operating system wrote the file at this path."""
    inside = JUNK_FOLDERS.intersection(path[:-1])
    return bool(inside) or path[-1] in JUNK_FILES or path[-1].startswith("._")


def reason_of(error: Exception) -> str:
    """An error in reading, in a few words."""
    text = "it is encrypted" if "password" in str(error) else str(error) or type(error).__name__
    return clean(text.rstrip("."))[:120]


class OnDisk:
    """A file's bytes, from the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.modified = path.stat().st_mtime

    def read(self, most: int) -> bytes:
        """The first bytes, at most so many."""
        with open(self.path, "rb") as file:
            return file.read(min(most, self.size + 1))  # `read` allocates all that it is asked for

    def open(self) -> IO[bytes]:
        """The file, open for reading."""
        return open(self.path, "rb")


class InMemory:
    """A file's bytes, out of an archive."""

    def __init__(self, data: bytes, modified: float = 0.0) -> None:
        self.data, self.size, self.modified = data, len(data), modified

    def read(self, most: int) -> bytes:
        """The first bytes, at most so many."""
        return self.data[:most]

    def open(self) -> IO[bytes]:
        """The bytes as a file."""
        return io.BytesIO(self.data)


Source = OnDisk | InMemory
