"""Everything in a folder or archive of submissions, as one tree. Archives in it are folders.

No link is followed. Of a notebook only the code and the written answers are kept, so that a class
of any size fits in memory.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ift_course.exercises import notebook_cells, written
from ift_course.exercises.notebook_cells import CodeCell, Unreadable
from ift_course.grading.submissions.archives import (
    FOREIGN_ARCHIVES,
    MAYBE_CODE,
    NOTES,
    READING_ERRORS,
    read_archive,
)
from ift_course.grading.submissions.nodes import (
    CHECKPOINTS,
    TARS,
    ZIPS,
    InMemory,
    Node,
    OnDisk,
    Source,
    is_junk,
    reason_of,
)

if TYPE_CHECKING:
    Parsed = tuple[list[CodeCell] | None, str]  # the code, or why there is none

DEFINES = re.compile(rb"^def \w+\(.*:\s*$", re.MULTILINE)
COMPRESSED = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}  # a single file
LARGEST_NOTE = 64 << 20


def read_tree(root: Path, skip: Path | None = None) -> Node:
    """Reads everything below a folder, or in an archive or a single file.

    Args:
        root: As it was downloaded.
        skip: A folder in it that is left out, such as a gradebook.

    Returns:
        The root. Its name is empty if it is a folder or an archive.
    """
    _PARSED.clear()
    if root.is_dir():
        return _read_folder(root, (), skip and skip.resolve())
    top = Node((), "folder")
    node = _read_file(Node((root.name,), "file"), OnDisk(root), depth=0)
    if node.kind == "archive" and not node.problem:
        return _without_root(node)
    top.children[node.name] = node
    return top


def _without_root(node: Node) -> Node:
    """Drops the name of an archive that holds everything: it tells no students apart."""
    node.path = node.path[1:]
    for child in node.children.values():
        _without_root(child)
    return node


def _read_folder(path: Path, parts: tuple[str, ...], skip: Path | None) -> Node:
    folder = Node(parts, "folder")
    try:
        children = sorted(path.iterdir())
    except OSError as error:
        folder.problem = f"The folder cannot be read: {reason_of(error)}."
        return folder
    for child in children:
        place = (*parts, child.name)
        if child.is_symlink():
            node = Node(place, "file", problem="A link, which is not followed.", junk=True)
        elif child.is_dir():
            if skip and child.resolve() == skip:
                continue
            node = _read_folder(child, place, skip)
        elif child.is_file():
            node = _read_file(Node(place, "file"), OnDisk(child), depth=0)
        else:
            node = Node(place, "file", problem="Neither a file nor a folder.", junk=True)
        folder.children[child.name] = node
    return folder


def _read_file(node: Node, source: Source, depth: int) -> Node:
    """Fills in what a file is and holds.

    Args:
        node: The file.
        source: Its bytes.
        depth: How many archives it lies in.

    Returns:
        The same node.
    """
    lower = node.name.lower()
    node.modified = source.modified if depth <= 1 else 0.0
    node.checkpoint = CHECKPOINTS in node.path
    node.junk = is_junk(node.path)
    if node.junk:
        return node
    try:
        head = source.read(8)
        if lower.endswith((*ZIPS, *TARS)) or (head[:4] == b"PK\x03\x04" and ".ipynb" in lower):
            return read_archive(node, source, depth, _read_file)
        if lower.endswith((".ipynb", ".py")) or ".ipynb" in lower:
            return _read_named_code(node, source)
        suffix = PurePosixPath(lower).suffix
        if suffix in NOTES and depth <= 1 and source.size < LARGEST_NOTE:
            text = source.read(LARGEST_NOTE).decode(errors="replace")
            node.read = lambda: text
        if suffix in MAYBE_CODE:
            _read_possible_code(node, source)
        elif name := FOREIGN_ARCHIVES.get(suffix):
            node.problem = f"A {name} archive, which cannot be read; ask for a zip."
    except READING_ERRORS as error:
        node.problem = f"The file cannot be read: {reason_of(error)}."
    return node


def _read_named_code(node: Node, source: Source) -> Node:
    """Reads a notebook or script; "02.ipynb.gz" is decompressed first."""
    opener = COMPRESSED.get(PurePosixPath(node.name.lower()).suffix)
    if opener:
        with opener(source.open()) as file:
            source = InMemory(file.read(notebook_cells.LARGEST + 1), source.modified)
    _read_code(node, source)
    return node


def _read_possible_code(node: Node, source: Source) -> None:
    """A file without a telling name is code if it holds a notebook or defines a function."""
    if source.size > notebook_cells.LARGEST:
        return
    data = source.read(notebook_cells.LARGEST)
    is_notebook = data.lstrip()[:1] == b"{" and b'"cell_type"' in data
    if is_notebook or (len(data) < notebook_cells.LARGEST_SCRIPT and DEFINES.search(data)):
        _read_code(node, InMemory(data))


def _read_code(node: Node, source: Source) -> None:
    if source.size > notebook_cells.LARGEST:
        node.problem = notebook_cells.too_large(source.size)
        return
    data = source.read(notebook_cells.LARGEST + 1)
    node.sha = hashlib.sha256(data).hexdigest()
    key = node.sha, PurePosixPath(node.name.lower()).suffix
    if key not in _PARSED:
        try:
            _PARSED[key] = notebook_cells.parse(data, node.name), ""
        except Unreadable as error:
            _PARSED[key] = None, str(error)
    node.code, node.problem = _PARSED[key]
    node.answers = written.answers_in(data, node.name)


# A class in which everyone hands in a copy of the course has a few thousand files of a few hundred
# contents: by content and ending, for one call of `read_tree`.
_PARSED: dict[tuple[str, str], Parsed] = {}


def notebook_of(code: list[CodeCell]) -> bytes:
    """The cells as a notebook without outputs, one line of code a line. Cells keep their numbers.

    Args:
        code: The code cells.
    """
    lines = {cell.number: cell.source.splitlines(True) for cell in code}
    notebook_cells = [
        {"cell_type": "code", "source": lines[number]}
        if number in lines
        else {"cell_type": "markdown", "source": []}
        for number in range(1, max(lines, default=0) + 1)
    ]
    notebook = {"nbformat": 4, "cells": notebook_cells}
    return json.dumps(notebook, indent=0, sort_keys=True).encode()
