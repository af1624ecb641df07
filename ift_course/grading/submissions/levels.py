"""The folders that hold a class: which level of a tree the students' own folders or files are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ift_course.errors import CourseError
from ift_course.grading.names import clean, plain_name
from ift_course.grading.submissions.forms import (
    FORMS,
    GRADESCOPE_METADATA,
    PICTURES,
    documents,
    folders,
    has_form,
    keys,
    without_copy,
)
from ift_course.grading.submissions.layouts import KINDS
from ift_course.grading.submissions.nodes import Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from ift_course.grading.submissions.layouts import LayoutHints

    # A folder that holds a class, and the kind of its layout.
    Level = tuple[Node, str]

NBGRADER = "submitted"
WRAPPERS = {"submissions", "submission", "class", "download", "downloads", "student-submissions"}
OWN_FOLDERS = re.compile(  # names that a student gives to folders of one work
    r"((draft|final|old|new|backup|copy|part|version|attempt|try|v|src|code|data|notebooks?|"
    r"exercises?|solutions?|work|homework|tests?|scripts?|tasks?|questions?|problems?|ex|q|"
    r"images?|img|figures?|plots?|docs?|assets|results?|outputs?|my[ _-].*)[ _-]?)?"
    r"\d{0,2}([._]\d{1,2})?",
    re.IGNORECASE,
)


class LevelFinder:
    """Finds the folders that hold a class.

    Attributes:
        questions: Why they may be others, a sentence each.
    """

    def __init__(self, holds_work: Callable[[Node], bool], hints: LayoutHints) -> None:
        """Takes what decides.

        Args:
            holds_work: Whether a file defines a function of the course and is not the course's own.
            hints: What the instructor says.
        """
        self._holds_work = holds_work
        self._hints = hints
        self.questions: list[str] = []

    def levels(self, root: Node) -> list[Level]:
        """(folder that holds a class, kind of layout): one, or several exports side by side.

        Args:
            root: Of the tree.

        Raises:
            CourseError: The layout that the instructor names is not there.
        """
        kind, level = self._hints.kind, self._hints.level
        if kind not in KINDS:
            raise CourseError(f"No layout is called {kind!r}; they are: {', '.join(KINDS)}.")
        if kind in FORMS or kind == "nbgrader":
            return self._named(root, kind)
        if level or kind in ("folder", "flat"):
            nodes = [root]
            for _ in range(max(1, level) - 1):
                nodes = [child for node in nodes for child in folders(node)]
            if not nodes:
                raise CourseError(f"The tree has no folders {level} levels deep.")
            return [(node, "flat" if kind == "flat" else "folder") for node in nodes]
        return self._recognized(root)

    def _named(self, root: Node, kind: str) -> list[Level]:
        candidates = [root]
        for node in candidates:
            matches = node.name == NBGRADER if kind == "nbgrader" else has_form(node, kind)
            if matches:
                return [(node, kind)]
            candidates += folders(node)
        raise CourseError(f"No folder in it has the layout of {kind}; leave out --layout.")

    def _recognized(self, node: Node) -> list[Level]:
        level = _platform_level(node)
        if level:
            return [level]
        inner, loose = folders(node), documents(node)
        if len(inner) == 1 and not any(map(self._holds_work, loose)):
            below = self._inside_wrapper(inner[0])
            if below:
                return below
        elif inner and not loose:
            exports = [export for x in inner if (export := _export(x))]
            if len(exports) == len(inner):
                return exports
        people = self._hints.people
        if people and not any(plain_name(x.stem) in people for x in (*inner, *loose)):
            children = [x for folder in inner for x in (*folders(folder), *documents(folder))]
            if any(plain_name(x.stem) in people for x in children):
                return [(x, "folder") for x in inner]
        return [(node, "folder")]

    def _inside_wrapper(self, only: Node) -> list[Level]:
        """The class inside the only folder there is; empty if that folder is a student's."""
        people = self._hints.people
        inner = folders(only)
        known = sum(plain_name(x.stem) in people for x in (*inner, *documents(only)))
        if plain_name(only.stem) in people and not known:
            return []
        below = self._recognized(only)
        if below[0][1] not in ("folder", "flat"):
            user = _only_canvas_user(below[0])
            if user is None:
                return below
            self.questions.append(
                f"there is one student, who may be {clean(only.stem)} or Canvas's {user}; "
                "use --layout folder or canvas"
            )
            return []
        named = only.stem.lower() in WRAPPERS or only.stem.lower().endswith("-submissions")
        if known or named or below[0][0] is not only:
            return below
        working = [x for x in inner if self._works(x)]
        if len(working) > 1 and not any(OWN_FOLDERS.fullmatch(x.stem) for x in working):
            return below
        self._ask_if_one_student(only)
        return []

    def _ask_if_one_student(self, only: Node) -> None:
        """Asks if the only folder there is, a student's, may be a class instead."""
        inner = folders(only)
        direct = [x for x in documents(only) if self._holds_work(x)]
        shas = {x.sha for x in only.files() if self._holds_work(x)}
        level = len(only.path) + 1
        if _is_clone(only):
            return
        if len(self._possible_students(only, direct)) > 1:
            self.questions.append(
                f"everything lies in {only.display_path}, which reads as one student; if its "
                f"contents are students, use --student-level {level}"
            )
        elif len(inner) == 1 and shas and not direct:
            self.questions.append(
                f"there is one student, who may be {clean(only.stem)} or "
                f"{clean(inner[0].stem)}; use --student-level {level - 1} or {level}"
            )

    def _possible_students(self, only: Node, direct: list[Node]) -> set[str]:
        """The names in the only folder there is that may be students'.

        Args:
            only: The folder.
            direct: The files in it that hold work.
        """
        inner = folders(only)
        candidates = [x for x in inner if self._works(x)]
        if not direct:  # a student with a notebook beside the folders is one student
            candidates += [x for x in inner if not OWN_FOLDERS.fullmatch(x.stem)]
        loose = [x for x in documents(only) if x in direct or x.code is None]
        loose = [x for x in loose if not x.name.lower().endswith(PICTURES)]
        return {without_copy(x.stem) for x in (*candidates, *loose)}

    def _works(self, node: Node) -> bool:
        return any(map(self._holds_work, node.files()))

    def look_for_sections(self, levels: list[Level]) -> None:
        """Asks if folders that each hold the work of several students are sections.

        Args:
            levels: The folders that were taken for the class.
        """
        working = [x for node, _ in levels for x in folders(node) if self._works(x)]
        crowded = [x for x in working if self._is_crowded(x)]
        if crowded and 2 * len(crowded) >= len(working) and not self.questions:
            names = " and ".join(x.display_path for x in crowded[:3])
            self.questions.append(
                f"{names} each hold the work of several students, it seems; use --student-level "
                f"{len(crowded[0].path) + 1}, or hand over one of them"
            )

    def _is_crowded(self, folder: Node) -> bool:
        working = [x for x in folders(folder) if self._works(x)]
        direct = any(map(self._holds_work, documents(folder)))
        named = any(OWN_FOLDERS.fullmatch(x.stem) for x in working)
        return len(working) > 1 and not direct and not named


def _platform_level(node: Node) -> Level | None:
    """The folder with the form of a platform's download, if it is one or wraps one."""
    for kind in FORMS:
        if has_form(node, kind):
            return node, kind
    if NBGRADER in node.children and folders(node.children[NBGRADER]):
        return node.children[NBGRADER], "nbgrader"
    if node.name == NBGRADER and folders(node):
        return node, "nbgrader"
    return None


def _export(node: Node) -> Level | None:
    """One of several downloads side by side; a student's folder must not look like one."""
    level = _platform_level(node)
    if not level or level[1] == "nbgrader":
        return None
    if level[1] == "gradescope":
        metadata = GRADESCOPE_METADATA in node.children
        return level if metadata or re.fullmatch(r"assignment_\d+_export.*", node.stem) else None
    return level if len(keys(*level)) > 1 else None


def _only_canvas_user(level: Level) -> str | None:
    """The user, if all files of a download from Canvas are one user's."""
    users = keys(*level) if level[1] == "canvas" else []
    return users[0] if len(users) == 1 else None


def _is_clone(node: Node) -> bool:
    """Whether a folder holds, at any depth without branches, a copy of the course."""
    inner = {x.stem for x in folders(node)}
    if {"exercises", "solutions", "ift_course"} & inner:
        return True
    return len(inner) == 1 and _is_clone(folders(node)[0])
