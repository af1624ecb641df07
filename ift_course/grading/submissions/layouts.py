"""How a tree of submissions is laid out, and whose files are whose."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ift_course.grading.submissions.nodes import Node

KINDS = ("auto", "folder", "flat", "canvas", "moodle", "gradescope", "blackboard", "nbgrader")
NBGRADER_COPY = "A copy or page that nbgrader made."


@dataclass
class StudentFiles:
    """All that one student, or one group, handed in.

    Attributes:
        key: Of the student in the gradebook.
        name: To show.
        nodes: The files, folders or archives that the system filed under this student.
        late: The system marked it so.
        submitted: An ISO time that the system wrote, or an empty text.
        members: Of a group: what the system knows of each (name, email, sis_id).
        flags: What the instructor should look at.
        system: Files among the nodes that the system wrote, and that were read for times.
    """

    key: str
    name: str
    nodes: list[Node] = field(default_factory=list)
    late: bool = False
    submitted: str = ""
    members: tuple[dict[str, str], ...] = ()
    flags: list[str] = field(default_factory=list)
    system: list[Node] = field(default_factory=list)


@dataclass
class Layout:
    """How a tree was read.

    Attributes:
        kind: One of `KINDS`.
        where: The folder that holds the class, or several.
        students: By key.
        strays: Files that belong to no student, with the reason.
        system: Files that the system wrote and that were read for names and times.
        questions: Why the reading may be wrong, a sentence each.
    """

    kind: str = "folder"
    where: list[str] = field(default_factory=list)
    students: dict[str, StudentFiles] = field(default_factory=dict)
    strays: list[tuple[Node, str]] = field(default_factory=list)
    system: list[Node] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LayoutHints:
    """What the instructor says about the layout.

    Attributes:
        kind: One of `KINDS`.
        level: How many folders below the root the students' own folders or files lie; 0 if the
            tree decides.
        accept: Answer "yes" to every question.
        people: Names and ids of the roster, in the form of `names.plain_name`; they tell students
            from other folders.
    """

    kind: str = "auto"
    level: int = 0
    accept: bool = False
    people: frozenset[str] = frozenset()
