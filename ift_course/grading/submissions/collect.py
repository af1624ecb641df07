"""What was handed in: one submission for each student, and an account of every file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ift_course.errors import CourseError
from ift_course.grading.submissions.choice import ContentsOfFiles, FileChoice, listed
from ift_course.grading.submissions.layouts import NBGRADER_COPY, Layout, LayoutHints
from ift_course.grading.submissions.recognize import recognize
from ift_course.grading.submissions.submission import FileUse, Submission
from ift_course.grading.submissions.tree import read_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ift_course.grading.results import AccountLine
    from ift_course.grading.submissions.contents import FileContents


@dataclass
class Collection:
    """Everything that was handed in.

    Attributes:
        submissions: One for each student, by key.
        uses: One for each file.
        layout: How the tree was read, in words.
        questions: Why that may be wrong.
    """

    submissions: list[Submission] = field(default_factory=list)
    uses: list[FileUse] = field(default_factory=list)
    layout: str = ""
    questions: list[str] = field(default_factory=list)

    def account(self, root: str) -> AccountLine:
        """For the results: the files, used and not, and the students.

        Args:
            root: The folder or archive.
        """
        unused = [[x.file, x.student, x.reason] for x in self.uses if x.reason]
        used = [[x.file, x.student] for x in self.uses if not x.reason]
        return {
            "kind": "account", "root": root, "layout": self.layout, "files": len(self.uses),
            "used": used, "unused": unused, "students": [x.student for x in self.submissions],
            "questions": self.questions,
        }  # fmt: skip


def find(
    root: Path, lesson: str, functions: list[str], hints: LayoutHints | None = None
) -> Iterator[Submission]:
    """The submissions in a folder, an archive or a single file, one per student, by student.

    Args:
        root: As it was downloaded.
        lesson: The lesson's number.
        functions: The functions that the learner writes in it.
        hints: What the instructor says about the layout.

    Raises:
        CourseError: As `collect`, except that it does not matter if all are of another lesson.
    """
    yield from collect(root, lesson, functions, hints, any_lesson=True).submissions


def collect(
    root: Path,
    lesson: str,
    functions: list[str],
    hints: LayoutHints | None = None,
    skip: Path | None = None,
    any_lesson: bool = False,
) -> Collection:
    """Everything in a folder or archive of submissions.

    Args:
        root: As it was downloaded.
        lesson: The lesson's number.
        functions: The functions that the learner writes in it.
        hints: What the instructor says about the layout.
        skip: A folder in it to leave out: the gradebook.
        any_lesson: Do not ask whether the lesson is right if everything is of another one.

    Raises:
        CourseError: There is no such folder or archive, nothing was handed in, or the tree may
            mean something else, which the instructor has to decide.
    """
    hints = hints or LayoutHints()
    if not (root.is_dir() or root.is_file()):
        raise CourseError(f"There is nothing at {root}; name the folder or zip of submissions.")
    contents = ContentsOfFiles(functions)
    layout = recognize(read_tree(root, skip), contents.holds_work, contents.is_course, hints)
    if not layout.students:
        raise CourseError(
            f"No notebook and no .py file is in {root}; hand over the folder or the zip that holds "
            "the submissions, as it was downloaded."
        )
    collection = Collection(layout=_described(layout), questions=list(layout.questions))
    for _, student in sorted(layout.students.items()):
        submission, uses = FileChoice(student, lesson, contents).submission()
        collection.submissions.append(submission)
        collection.uses += uses
    collection.uses += [FileUse(x.display_path, "", "") for x in layout.system]
    strays = [(x, x.problem or reason) for x, reason in layout.strays]
    collection.uses += [FileUse(x.display_path, "", reason) for x, reason in strays]
    collection.uses.sort(key=lambda x: (x.file, x.student))
    collection.questions += _doubts(layout, contents)
    if not any_lesson:
        collection.questions += _other_lesson(layout, contents, lesson)
    if collection.questions and not hints.accept:
        raise CourseError(_question(collection))
    return collection


def _described(layout: Layout) -> str:
    """How a tree was read, in one sentence."""
    where = listed([x for x in layout.where if x])
    inside = f" in {where}" if where else ""
    form = {"folder": "a folder or file for each", "flat": "a file for each"}
    how = form.get(layout.kind, f"the form of {layout.kind.capitalize()}")
    names = listed([student.key for _, student in sorted(layout.students.items())])
    return f"Read as {_students(layout)}{inside}, {how}: {names}."


def _students(layout: Layout) -> str:
    count = len(layout.students)
    return "1 student" if count == 1 else f"{count} students"


def _doubts(layout: Layout, contents: ContentsOfFiles) -> list[str]:
    """What makes the result implausible, whatever the layout."""
    doubts = []
    works = [(x, reason) for x, reason in layout.strays if contents.holds_work(x)]
    strays = [x for x, reason in works if reason != NBGRADER_COPY]
    if strays:
        names = listed([x.display_path for x in strays])
        doubts.append(f"{names} would be left out, because no student can be found for it")
    solutions = [x for x in _distinct(layout, contents) if x.own]
    if len(solutions) > 4 * len(layout.students):
        doubts.append(
            f"there are {len(solutions)} different solutions for only {_students(layout)}; say "
            "with --student-level how deep the students' folders lie"
        )
    return doubts


def _other_lesson(layout: Layout, contents: ContentsOfFiles, lesson: str) -> list[str]:
    """The question if the whole class handed in another lesson."""
    works = _distinct(layout, contents)
    others = Counter(other for x in works for other in set(x.others.values()))
    if not others or any(x.defined for x in works):
        return []
    return [f"nobody handed in lesson {lesson}, but lesson {others.most_common(1)[0][0]}"]


def _distinct(layout: Layout, contents: ContentsOfFiles) -> list[FileContents]:
    """What the students' files hold, each content once."""
    nodes = [node for student in layout.students.values() for node in student.nodes]
    files = [x for node in nodes for x in node.files() if contents.holds_work(x)]
    return list({x.sha: contents.of(x) for x in files}.values())


def _question(collection: Collection) -> str:
    """The sentence that asks the instructor."""
    first, *others = collection.questions
    more = f" (and {len(others)} more)" if others else ""
    first = first.removesuffix(".")
    return (
        f"Nothing was graded, because {first}{more}; --yes accepts this reading: "
        f"{collection.layout}"
    )
