"""The code cells of a notebook or script that somebody else wrote.

This is the only reader: `ift check`, `ift grade`, and the checks under pytest all use it.
"""

import ast
import io
import json
import re
import tokenize
from pathlib import Path

from ift_course.errors import CourseError
from ift_course.exercises import notebook_json
from ift_course.exercises.execution import execute, python, statements
from ift_course.exercises.notebook_json import CodeCell

__all__ = ["LARGEST", "CodeCell", "Unreadable", "code_cells", "execute", "parse", "read"]

LARGEST = 256 << 20  # bytes of one file; nearly all are outputs, which are skipped
LARGEST_SCRIPT = 4 << 20
# Splits a script: "# %%" of jupytext, "# In[3]:" of nbconvert, "# <codecell>" of old IPython.
MARKER = re.compile(
    r"^#[ ]?(?:%%(?P<rest>.*)|[ ]?In[ ]?\[[ \d*]*\]:?[ \t]*|[ ]?<codecell>)$", re.MULTILINE
)
FOREIGN = {
    b"%PDF": "The file is a PDF, not a notebook; ask for the .ipynb file.",
    b"PK\x03\x04": "The file is a zip archive under the name of a notebook.",
    b"\x1f\x8b": "The file is a gzip archive under the name of a notebook.",
    b"7z\xbc\xaf": "The file is a 7z archive, which cannot be read; ask for a zip.",
    b"Rar!": "The file is a RAR archive, which cannot be read; ask for a zip.",
    b"version https://git-lfs": "The file is a Git LFS pointer; the notebook itself is missing.",
    b"<!doctype": "The file is a web page (HTML), not a notebook; ask for the .ipynb file.",
    b"<html": "The file is a web page (HTML), not a notebook; ask for the .ipynb file.",
}


class Unreadable(Exception):
    """The file is neither a notebook nor Python; the text is one sentence that explains why."""


def code_cells(path: Path) -> list[tuple[int, str]]:
    """Read the code cells of a notebook or script on disk.

    Args:
        path: A .ipynb or .py file.

    Returns:
        (number, source) of each code cell, counted from 1 among all cells.

    Raises:
        CourseError: There is no such file, or it is not a notebook.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise Unreadable(too_large(path.stat().st_size))
        return read(path.read_bytes(), path.name)
    except FileNotFoundError:
        raise CourseError(f"There is no notebook {path}.") from None
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error}.") from None
    except Unreadable as error:
        raise CourseError(f"{path} cannot be checked. {error}") from None


def too_large(size: int) -> str:
    """Explain why a file of `size` bytes is not read."""
    return f"The file has {size >> 20} MB; at most {LARGEST >> 20} MB are read."


def read(data: bytes, name: str) -> list[tuple[int, str]]:
    """Read the code cells in the bytes of a file.

    The content decides what kind of file it is; the name decides only where the content does not.

    Args:
        data: The whole file.
        name: The file's name.

    Returns:
        (number, source) of each code cell, counted from 1 among all cells.

    Raises:
        Unreadable: The file is not a notebook or script, or is too large.
    """
    return [(cell.number, cell.source) for cell in parse(data, name)]


def parse(data: bytes, name: str) -> list[CodeCell]:
    """Read the code cells as `read` does, each with the stamp of the course if it has one."""
    if len(data) > LARGEST:
        raise Unreadable(too_large(len(data)))
    data = utf8(data)
    head = data[:200].lstrip().lower()
    if not head:
        raise Unreadable("The file is empty.")
    for magic, sentence in FOREIGN.items():
        if head.startswith(magic.lower()):
            raise Unreadable(sentence)
    script = name.lower().endswith((".py", ".py.txt"))
    if head.startswith(b"{") and (not script or _holds_cells(data)):
        cells = _notebook(data)
    elif script or b"def " in data:
        cells = _script(data)
    else:
        raise Unreadable("The file is not a notebook: it does not contain JSON.")
    if not cells:
        raise Unreadable("There is no code in the file.")
    return cells


def _holds_cells(data: bytes) -> bool:
    return b'"cell_type"' in data and b'"cells"' in data


def utf8(data: bytes) -> bytes:
    """Convert a file of any Unicode encoding to UTF-8 without a byte order mark.

    Raises:
        Unreadable: It has none.
    """
    encoding = json.detect_encoding(data) if data else "utf-8"
    if encoding == "utf-8":
        return data
    try:
        return data.decode(encoding).encode()
    except UnicodeError:
        raise Unreadable("The file is not text in UTF-8; save it with that encoding.") from None


def _notebook(data: bytes) -> list[CodeCell]:
    try:
        cells = notebook_json.code_cells(data)
    except notebook_json.Malformed as error:
        raise Unreadable(str(error)) from None
    return [cell._replace(source=_lines(cell.source)) for cell in cells]


def _script(data: bytes) -> list[CodeCell]:
    if len(data) > LARGEST_SCRIPT:
        raise Unreadable(f"The script has more than {LARGEST_SCRIPT >> 20} MB.")
    if b"\0" in data:
        raise Unreadable("The file is binary, neither a notebook nor Python.")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = _lines(data.decode(encoding))
    except (SyntaxError, UnicodeError):
        raise Unreadable("The file is not text in UTF-8; save it with that encoding.") from None
    pieces = _at_markers(text) if MARKER.search(text) else statements(text)
    # Blank lines stand for those before a piece, so that messages name the lines of the file.
    return [
        CodeCell(number, "\n" * start + code)
        for number, (start, code) in enumerate(pieces, 1)
        if _holds_code(code)
    ]


def _lines(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _at_markers(text: str) -> list[tuple[int, str]]:
    """(lines before it, text) of each cell of a script with markers; Markdown cells are empty."""
    starts = [0, *(match.start() for match in MARKER.finditer(text))]
    ends = [*starts[1:], len(text)]
    pieces: list[tuple[int, str]] = []
    for start, end in zip(starts, ends, strict=True):
        line, code = text.count("\n", 0, start), text[start:end]
        marker = MARKER.match(code)
        if marker and "[markdown]" in (marker["rest"] or ""):
            pieces.append((line, ""))
        elif pieces and _inside_string(pieces[-1][1], code):
            pieces[-1] = (pieces[-1][0], pieces[-1][1] + code)
        else:
            pieces.append((line, code))
    return pieces


def _inside_string(before: str, code: str) -> bool:
    """Whether a marker is inside a string that began before it."""
    return before.count('"""') % 2 + before.count("'''") % 2 > 0 and _parses(before + code)


def _parses(source: str) -> bool:
    try:
        ast.parse(python(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _holds_code(text: str) -> bool:
    return any(x.strip() and not x.strip().startswith("#") for x in text.split("\n"))
