"""Whose work is whose, read off the way in which a system stores what students hand in."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING

from ift_course.grading.names import clean, plain_name
from ift_course.grading.submissions import gradescope
from ift_course.grading.submissions.forms import (
    FORMS,
    GRADESCOPE_METADATA,
    documents,
    folders,
    is_document,
    is_hidden,
    without_copy,
)
from ift_course.grading.submissions.layouts import (
    NBGRADER_COPY,
    Layout,
    LayoutHints,
    StudentFiles,
)
from ift_course.grading.submissions.levels import LevelFinder

if TYPE_CHECKING:
    from collections.abc import Callable

    from ift_course.grading.submissions.nodes import Node

NBGRADER_COPIES = {"source", "release", "autograded", "feedback"}  # beside "submitted"
TIMESTAMP = "timestamp.txt"


def recognize(
    root: Node,
    holds_work: Callable[[Node], bool],
    is_course: Callable[[Node], bool],
    hints: LayoutHints,
) -> Layout:
    """Reads a tree of submissions.

    Args:
        root: Of the tree.
        holds_work: Whether a file defines a function of the course and is not the course's own.
        is_course: Whether a file is one that the course hands out.
        hints: What the instructor says.

    Raises:
        CourseError: The layout that the instructor names is not there.
    """
    finder = LevelFinder(holds_work, hints)
    levels = finder.levels(root)
    layout = Layout(kind=levels[0][1], where=[node.display_path for node, _ in levels])
    if hints.kind == "auto" and not hints.level and layout.kind == "folder":
        finder.look_for_sections(levels)
    layout.questions = finder.questions
    for node, kind in levels:
        handed_out = [x for x in documents(node) if folders(node) and is_course(x)]
        layout.strays += [(x, "The course's own file, beside the submissions.") for x in handed_out]
        _ASSIGN[kind](layout, node)
    _add_strays(layout, root)
    _look_for_conflicts(layout)
    _look_for_one_student(layout, holds_work, hints)
    _flag_copies(layout)
    return layout


def _add_strays(layout: Layout, root: Node) -> None:
    """Adds every file that is no student's yet, so that each has a reason."""
    nodes = [node for student in layout.students.values() for node in student.nodes]
    known = {id(x) for node in nodes for x in node.files()}
    known |= {id(x) for x, _ in layout.strays} | {id(x) for x in layout.system}
    for file in [x for x in root.files() if id(x) not in known]:
        is_copy = layout.kind == "nbgrader" and NBGRADER_COPIES.intersection(file.path)
        layout.strays.append((file, NBGRADER_COPY if is_copy else "It belongs to no student."))


def _add(layout: Layout, key: str, name: str, node: Node) -> StudentFiles:
    """Adds a node to the student of this key."""
    key, name = clean(unicodedata.normalize("NFC", key)), clean(name)
    student = layout.students.setdefault(key.casefold(), StudentFiles(key, name))
    student.nodes.append(node)
    return student


def _assign_folders(layout: Layout, node: Node) -> None:
    """A folder, an archive or (loose) a file for each student."""
    inner = folders(node)
    prefix = _classroom_prefix(node, inner)
    strays = {id(x) for x, _ in layout.strays}
    for child in (x for x in (*inner, *documents(node)) if id(x) not in strays):
        stem = child.stem.removeprefix(prefix)
        _add(layout, stem, stem, child)
    _add_other_files(layout, node)


def _classroom_prefix(node: Node, inner: list[Node]) -> str:
    """GitHub Classroom names a repository after the assignment and the student: "hw2-jane"."""
    name = node.stem
    if not name.endswith("-submissions"):
        return ""
    prefix = name.removesuffix("submissions")
    return prefix if inner and all(x.stem.startswith(prefix) for x in inner) else ""


def _add_other_files(layout: Layout, node: Node) -> None:
    """Files beside the students' that no student handed in: lists, pages, the system's notes."""
    for _, child in sorted(node.children.items()):
        hidden = child.kind != "file" and not child.problem and is_hidden(child)
        if hidden or (child.kind == "file" and (child.junk or not is_document(child))):
            layout.strays += [
                (x, "It lies beside the submissions and is not one.") for x in child.files()
            ]


def _assign_files(layout: Layout, node: Node) -> None:
    """Every file is a student's, in whatever folder it lies."""
    for file in node.files():
        if is_document(file) and not file.junk:
            _add(layout, file.stem, file.stem, file)


def _assign_nbgrader(layout: Layout, node: Node) -> None:
    """submitted/STUDENT/ASSIGNMENT/, with a timestamp.txt that nbgrader wrote last."""
    _assign_folders(layout, node)
    for student in layout.students.values():
        for folder in student.nodes:
            for assignment in folders(folder) if folder.kind == "folder" else []:
                stamp = assignment.children.get(TIMESTAMP)
                if assignment.kind == "folder" and stamp and stamp.read:
                    student.submitted = max(student.submitted, clean(stamp.read().strip())[:40])
                    layout.system.append(stamp)
                    student.system.append(stamp)


def _assign_form(kind: str) -> Callable[[Layout, Node], None]:
    """What assigns the files of a platform's download by their names."""

    def assign(layout: Layout, node: Node) -> None:
        others = []
        for _, child in sorted(node.children.items()):
            match = None if child.junk or is_hidden(child) else FORMS[kind](child)
            if not match:
                others.append(child)
                continue
            groups = match.groupdict()
            name = groups.get("name") or match["id"]
            student = _add(layout, match["id"], name, child)
            student.late = student.late or bool(groups.get("late"))
            if plain_name(student.name) != plain_name(clean(name)):
                layout.questions.append(
                    f"{match['id']} stands for two students, {student.name} and {clean(name)}; "
                    "take one of them out"
                )
            if groups.get("when"):
                when = datetime.strptime(groups["when"], "%Y-%m-%d-%H-%M-%S")
                student.submitted = max(student.submitted, when.isoformat())
        reason = f"Its name does not have the form of a download from {kind.capitalize()}."
        layout.strays += [
            (x, reason)
            for child in others
            for x in child.files()
            if not (child.name == GRADESCOPE_METADATA and kind == "gradescope")
        ]

    return assign


def _assign_gradescope(layout: Layout, node: Node) -> None:
    _assign_form("gradescope")(layout, node)
    metadata = node.children.get(GRADESCOPE_METADATA)
    if metadata and metadata.read:
        gradescope.name_students(layout, metadata)


_ASSIGN: dict[str, Callable[[Layout, Node], None]] = {
    "folder": _assign_folders,
    "flat": _assign_files,
    "nbgrader": _assign_nbgrader,
    "gradescope": _assign_gradescope,
    **{kind: _assign_form(kind) for kind in ("moodle", "canvas", "blackboard")},
}


def _look_for_conflicts(layout: Layout) -> None:
    """Two folders, or a folder and an archive or file, of one name: whose is which?"""
    if layout.kind not in ("folder", "flat", "nbgrader", "gradescope"):
        return
    for student in layout.students.values():
        sources: dict[object, set[str]] = {}
        for node in student.nodes:
            key = node.path if node.kind != "file" else (node.path[:-1], node.stem)
            contents = {x.sha or x.display_path for x in node.files() if not x.junk}
            sources.setdefault(key, set()).update(contents)
        distinct = {frozenset(x) for x in sources.values()}
        if len(distinct) > 1:
            names = " and ".join(node.display_path for node in student.nodes[:3])
            layout.questions.append(
                f"{student.key} has several sources, {names}; take out all but one, or rename them"
            )


def _look_for_one_student(
    layout: Layout, holds_work: Callable[[Node], bool], hints: LayoutHints
) -> None:
    """Several works of one student in a form that file names alone suggest may be a class's."""
    if len(layout.students) != 1 or layout.kind not in ("canvas", "moodle", "blackboard"):
        return
    [student] = layout.students.values()
    works = {x.sha for node in student.nodes for x in node.files() if holds_work(x)}
    if len(student.nodes) > 1 and len(works) > 1 and hints.kind == "auto":
        names = " and ".join(node.display_path for node in student.nodes[:3])
        layout.questions.append(
            f"{names} read as files of one student, {student.key}; use --layout {layout.kind} or "
            "flat"
        )


def _flag_copies(layout: Layout) -> None:
    """ "jane (1).ipynb" beside "jane.ipynb" may be the same student's."""
    for key, student in layout.students.items():
        original = layout.students.get(without_copy(key))
        if original and original is not student:
            student.flags.append(f"It may be a copy by the student {original.key}.")
            original.flags.append(f"{student.key} may be another copy by the same student.")
