"""The forms in which learning platforms name what students hand in, and what may be handed in.

Identity comes from names that a system or the instructor wrote: a folder for each student, a
file for each student, or the form of a learning platform's download. The names of files inside a
student's own folder or archive never decide it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ift_course.grading.submissions.nodes import CHECKPOINTS, JUNK_FOLDERS, Node

if TYPE_CHECKING:
    from collections.abc import Callable

# "Jane Doe_123_assignsubmission_file_": a folder, or (older) the beginning of a file's name, whose
# rest is the student's. Both take the mark that the student cannot have written.
MOODLE_FOLDER = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?")
MOODLE_FILE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_.+")
# "doejane_LATE_12345_67890_hw-1.ipynb": name, user, attachment, and the student's own file name.
# Where grading is anonymous: "anon_aB3dE_67890_hw.ipynb".
CANVAS_TEXT = re.compile(r"(?P<name>[^_]+)(?P<late>_late)?_(?P<id>[1-9]\d*)_text\.html", re.I)
CANVAS = re.compile(
    r"(?P<name>[^_]+)(?P<late>_late)?_(?P<id>[1-9]\d*|(?<=anon_)[a-z0-9]{5}|"
    r"(?<=anon_late_)[a-z0-9]{5})_(?P<attachment>[1-9]\d*)_(?P<file>.+)",
    re.IGNORECASE,
)
GRADESCOPE = re.compile(r"(?P<id>submission_\d+)")
GRADESCOPE_METADATA = "submission_metadata.yml"
BLACKBOARD = re.compile(
    r".+?_(?P<id>[^_]+)_attempt_(?P<when>\d{4}(?:-\d\d){5})(?:\.txt|_(?P<file>.+))?"
)
PICTURES = (".png", ".jpg", ".jpeg", ".heic")
TEXTS = (".pdf", ".docx", ".doc", ".odt", ".rtf", ".pages", ".r", ".rmd", ".jl", ".m")


def folders(node: Node) -> list[Node]:
    """The folders and readable archives in a node that may be somebody's."""
    return [
        child
        for _, child in sorted(node.children.items())
        if child.kind != "file" and not child.problem and not is_hidden(child)
    ]


def documents(node: Node) -> list[Node]:
    """The files in a node that somebody may have handed in, archives that failed included."""
    return [
        child
        for _, child in sorted(node.children.items())
        if (child.kind == "file" or child.problem) and not child.junk and is_document(child)
    ]


def is_hidden(node: Node) -> bool:
    """Whether a folder is an editor's, the operating system's, or a gradebook of `ift grade`."""
    name = node.name
    is_gradebook = {"results.jsonl", "gradebook.csv"} <= set(node.children)
    return is_gradebook or name in JUNK_FOLDERS or name == CHECKPOINTS or name.startswith(".")


def is_document(node: Node) -> bool:
    """Whether a file may be somebody's work, readable or not."""
    if node.code is not None or node.problem:
        return True
    return node.name.lower().endswith((*PICTURES, *TEXTS))


def without_copy(stem: str) -> str:
    """The name without what a browser or Jupyter adds to a copy."""
    return re.sub(r"([ _-]*\(\d+\)|-Copy\d+|[ _-]copy( \d+)?)+$", "", stem, flags=re.IGNORECASE)


def has_form(node: Node, kind: str) -> bool:
    """Whether most of what lies in a folder has the form of a platform's download.

    Args:
        node: The folder.
        kind: One of `FORMS`.
    """
    items = [*folders(node), *documents(node)]
    matching = [x for x in items if FORMS[kind](x)]
    if 2 * len(matching) <= len(items):
        return False
    return kind != "canvas" or _is_canvas(matching)


def _is_canvas(nodes: list[Node]) -> bool:
    """Whether the numbers can be Canvas's: a user's has one name, and an attachment's one file.

    That is not so in made-up names. Nor do users who differ all have the same name.
    """
    matches = [x for node in nodes if (x := CANVAS.fullmatch(node.name))]
    users = {(x["id"], x["name"].lower()) for x in matches}
    attachments = {(x["attachment"], x["id"], x["file"].rsplit(".", 1)[0]) for x in matches}
    numbers, names = {x[0] for x in users}, {x[1] for x in users}
    return (
        len(users) == len(numbers)
        and len(attachments) == len({x[0] for x in attachments})
        and (len(names) > 1 or len(numbers) == 1 or names == {"anon"})
    )


def keys(node: Node, kind: str) -> list[str]:
    """The students that the names in a folder of a platform's form stand for.

    Args:
        node: The folder.
        kind: One of `FORMS`.
    """
    matches = (FORMS[kind](x) for x in node.children.values() if not x.junk)
    return sorted({x["id"] for x in matches if x})


def _gradescope(node: Node) -> re.Match[str] | None:
    return GRADESCOPE.fullmatch(node.stem) if node.kind != "file" else None


def _moodle(node: Node) -> re.Match[str] | None:
    match = MOODLE_FOLDER.fullmatch(node.name) if node.kind == "folder" else None
    return match or MOODLE_FILE.fullmatch(node.name)


FORMS: dict[str, Callable[[Node], re.Match[str] | None]] = {
    "gradescope": _gradescope,
    "moodle": _moodle,
    "blackboard": lambda node: BLACKBOARD.fullmatch(node.name),
    "canvas": lambda node: CANVAS.fullmatch(node.name) or CANVAS_TEXT.fullmatch(node.name),
}
