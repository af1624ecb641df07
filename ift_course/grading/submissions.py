"""What was handed in, found in any usual layout, read straight from files and archives.

A student is the name in a Moodle or Canvas download, else the first folder, else the file's name.
Nothing is ever unpacked to disk and no link is followed, so no archive can reach out of itself.
"""

import hashlib
import io
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ift_course.checks.cells import Unreadable, read
from ift_course.errors import CourseError

__all__ = ["Submission", "Unreadable", "cells", "clean", "find"]

LARGEST = 20 << 20  # bytes of one file
MOST_MEMBERS = 5000  # of an archive
SKIPPED = {".ipynb_checkpoints", "__MACOSX", "__pycache__", ".git", ".OTTER_LOG"}
WRAPPERS = {"submitted", "submissions", "submission"}

# "Jane Doe_123456_assignsubmission_file_/hw.ipynb" and, older, "…_assignsubmission_file_hw.ipynb"
MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?.*")
# "doejane_12345_67890_hw-1.ipynb" and "doejane_LATE_12345_67890_hw.ipynb"
CANVAS = re.compile(r"(?P<name>[^_]+)(?P<late>_LATE)?_(?P<id>\d+)_\d+_(?P<file>.+)")


@dataclass(frozen=True)
class Submission:
    """One student's work. student: key in the gradebook; name: to show; source: where it was found.

    late: the download's own name says so. submitted: an ISO time, where the layout has one.
    """

    student: str
    name: str
    source: str
    data: bytes
    late: bool = False
    submitted: str = ""
    notes: tuple[str, ...] = ()

    @property
    def sha(self) -> str:
        """Of the content, as the results know it."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass
class _Entry:
    """A file: its path as parts, and how to get its bytes."""

    parts: tuple[str, ...]
    path: Path
    members: tuple[str, ...] = ()

    def read(self) -> bytes:
        if not self.members:
            with open(self.path, "rb") as file:
                return _capped(file.read(LARGEST + 1))
        archive, *inner = self.members
        with zipfile.ZipFile(self.path) as outer:
            data = _member(outer, archive)
        for name in inner:
            with zipfile.ZipFile(io.BytesIO(data)) as nested:
                data = _member(nested, name)
        return data


@dataclass
class _Pile:
    """All files of one student."""

    name: str
    late: bool = False
    entries: list[_Entry] = field(default_factory=list)


def find(root: Path, lesson: str, functions: list[str]) -> Iterator[Submission]:
    """The submissions in a folder, an archive or a single file, one per student, by student.

    Of several files the one counts that defines most of `functions`; then the one named after the
    lesson; then the last.

    Raises:
        CourseError: there is no such folder or archive, or nothing was handed in.
    """
    piles = _piles(list(_without_wrapper(list(_entries(root)))))
    if not piles:
        raise CourseError(
            f"No notebook and no .py file is in {root}; hand over the folder or the zip that holds "
            "the submissions, as it was downloaded."
        )
    for student in sorted(piles):
        yield _chosen(student, piles[student], lesson, functions)


def cells(submission: Submission) -> list[tuple[int, str]]:
    """(number, source) of each code cell, of a notebook of any version or of a .py file.

    Raises:
        Unreadable: With a sentence that says why.
    """
    return read(submission.data, submission.source)


def _entries(root: Path) -> Iterator[_Entry]:
    if root.is_dir():
        for path in sorted(root.rglob("*")):
            parts = path.relative_to(root).parts
            linked = any(x.is_symlink() for x in (path, *path.parents) if root in x.parents)
            if not linked and path.is_file() and not SKIPPED & set(parts):
                yield from _opened(_Entry(parts, path))
    elif root.is_file():
        inside = list(_opened(_Entry((root.name,), root)))
        # Of the archive that holds all, only what is in it tells the students apart.
        outer = [_Entry(x.parts[1:], x.path, x.members) for x in inside if len(x.parts) > 1]
        yield from outer or inside
    else:
        raise CourseError(f"There is nothing at {root}; name the folder or zip of submissions.")


def _opened(entry: _Entry, depth: int = 0) -> Iterator[_Entry]:
    """The entry, or what is in it when it is an archive; archives in archives down to the third."""
    name = entry.parts[-1]
    if not name.lower().endswith(".zip") or depth == 3:
        yield entry
        return
    try:
        source = io.BytesIO(entry.read()) if entry.members else entry.path
        with zipfile.ZipFile(source) as archive:
            infos = archive.infolist()[:MOST_MEMBERS]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError):
        return
    folder = (*entry.parts[:-1], name[:-4])
    for info in sorted(infos, key=lambda x: x.filename):
        inner = PurePosixPath(info.filename.replace("\\", "/"))
        linked = stat.S_ISLNK(info.external_attr >> 16)
        outside = inner.is_absolute() or ".." in inner.parts
        if not (info.is_dir() or linked or outside or SKIPPED & set(inner.parts)):
            members = (*entry.members, info.filename)
            yield from _opened(_Entry((*folder, *inner.parts), entry.path, members), depth + 1)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        return _capped(file.read(LARGEST + 1))


def _capped(data: bytes) -> bytes:
    if len(data) > LARGEST:
        raise ValueError("The file is too large.")
    return data


def _without_wrapper(entries: list[_Entry]) -> Iterator[_Entry]:
    """Drops a folder around everything, as nbgrader's `submitted/`."""
    while entries and all(x.parts[0] in WRAPPERS and len(x.parts) > 1 for x in entries):
        entries = [_Entry(x.parts[1:], x.path, x.members) for x in entries]
    yield from entries


def _piles(entries: list[_Entry]) -> dict[str, _Pile]:
    piles: dict[str, _Pile] = {}
    for entry in entries:
        if entry.parts[-1].endswith((".ipynb", ".py")) or entry.parts[-1] == "timestamp.txt":
            student, name, late = _student(entry.parts)
            student = clean(student)
            pile = piles.setdefault(student, _Pile(name))
            pile.late = pile.late or late
            pile.entries.append(entry)
    return {
        student: pile
        for student, pile in piles.items()
        if any(x.parts[-1] != "timestamp.txt" for x in pile.entries)
    }


def _student(parts: tuple[str, ...]) -> tuple[str, str, bool]:
    """(key, name to show, whether late)."""
    for part in parts:
        if found := MOODLE.fullmatch(part):
            return found["id"], found["name"], False
        if found := CANVAS.fullmatch(part):
            return found["id"], found["name"], bool(found["late"])
    name = parts[0] if len(parts) > 1 else PurePosixPath(parts[0]).stem
    return name, name, False


def _chosen(student: str, pile: _Pile, lesson: str, functions: list[str]) -> Submission:
    ranked, submitted = [], ""
    for entry in pile.entries:
        where = "/".join(entry.parts)
        try:
            data = entry.read()
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError):
            data = b""
        if where.endswith("timestamp.txt"):
            submitted = data.decode(errors="replace").strip()[:40]
            continue
        defined = sum(f"def {name}(".encode() in data for name in functions)
        named = bool(re.search(rf"(?<!\d){lesson}(?!\d)", where))
        ranked.append(((defined, named, where.endswith(".ipynb"), where), data))
    (*_, where), data = max(ranked)
    where, name = clean(where), clean(pile.name)
    others = len(ranked) - 1
    notes = (f"{others + 1} files were handed in; {where} was graded.",) if others else ()
    return Submission(student, name, where, data, pile.late, submitted, notes)


def clean(text: str) -> str:
    """At most 1,000 characters, of which none steers a terminal or cannot be written."""
    kept = (x if x.isprintable() or x == "\n" else "\N{REPLACEMENT CHARACTER}" for x in text[:1000])
    return "".join(kept)
