"""One student's or one group's work, and what became of each file that was handed in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ift_course.exercises.notebook_cells import Unreadable, read

__all__ = ["FileUse", "Submission", "Unreadable", "cells"]


@dataclass(frozen=True)
class Submission:
    """One student's or one group's work.

    Attributes:
        student: The key in the gradebook.
        name: To show.
        source: The file that is graded, as a path in the folder or archive.
        data: A notebook without outputs, or a .py file; empty if there is a problem.
        late: The download's own name says so.
        submitted: An ISO time, where the system wrote one.
        notes: For the student.
        problem: Why nothing can be graded; a person has to look.
        flags: For the instructor.
        members: Of a group, as the system knows them: name, email, sis_id.
    """

    student: str
    name: str
    source: str
    data: bytes
    late: bool = False
    submitted: str = ""
    notes: tuple[str, ...] = ()
    problem: str = ""
    flags: tuple[str, ...] = ()
    members: tuple[dict[str, str], ...] = ()

    @property
    def sha(self) -> str:
        """Of the content, as the results know it."""
        return hashlib.sha256(self.data + self.problem.encode()).hexdigest()

    def description(self) -> dict[str, object]:
        """The fields of the results that do not depend on the content."""
        return {
            "name": self.name, "source": self.source, "late": self.late, "problem": self.problem,
            "submitted": self.submitted, "flags": list(self.flags), "members": list(self.members),
        }  # fmt: skip


@dataclass(frozen=True)
class FileUse:
    """What became of one file.

    Attributes:
        file: Its path.
        student: Whose it is; empty if nobody's.
        reason: Why it was not used; empty if it was.
    """

    file: str
    student: str
    reason: str = ""


def cells(submission: Submission) -> list[tuple[int, str]]:
    """(number, source) of each code cell, of a notebook of any version or of a .py file.

    Args:
        submission: What was handed in.

    Raises:
        Unreadable: With a sentence that says why.
    """
    if submission.problem:
        raise Unreadable(submission.problem)
    return read(submission.data, submission.source)
