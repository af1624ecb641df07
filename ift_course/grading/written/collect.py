"""The answers to open questions in what a class handed in, and an account of every file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ift_course.errors import CourseError
from ift_course.exercises import catalog, written
from ift_course.grading.submissions.choice import ContentsOfFiles, listed
from ift_course.grading.submissions.forms import CANVAS
from ift_course.grading.submissions.layouts import LayoutHints
from ift_course.grading.submissions.recognize import recognize
from ift_course.grading.submissions.submission import FileUse
from ift_course.grading.submissions.tree import read_tree

if TYPE_CHECKING:
    from pathlib import Path

    from ift_course.exercises.written import WrittenQuestion
    from ift_course.grading.submissions.layouts import Layout, StudentFiles
    from ift_course.grading.submissions.nodes import Node

JUNK = "Written by an editor or the operating system."


@dataclass(frozen=True)
class StudentAnswer:
    """One student's answer to one question.

    Attributes:
        student: The key in the gradebook.
        name: To show.
        question: The id.
        text: In Markdown; empty if nothing was written.
        source: The file.
        has_cell: Whether the answer cell was there. Where it is missing, a person has to look.
    """

    student: str
    name: str
    question: str
    text: str
    source: str
    has_cell: bool


@dataclass
class Answers:
    """What was collected.

    Attributes:
        lesson: The lesson's number.
        questions: Of the lesson.
        answers: One for each student and question.
        uses: What became of each file.
        layout: How the tree was read, in words.
    """

    lesson: str
    questions: list[WrittenQuestion]
    answers: list[StudentAnswer] = field(default_factory=list)
    uses: list[FileUse] = field(default_factory=list)
    layout: str = ""


class _Contents(ContentsOfFiles):
    """What the files hold, where a written answer is work, too."""

    def holds_work(self, node: Node) -> bool:
        answered = any(x.text for x in node.answers) and not (node.junk or node.checkpoint)
        return answered or super().holds_work(node)

    def is_course(self, node: Node) -> bool:
        return not any(x.text for x in node.answers) and super().is_course(node)


def collect(
    root: Path,
    lesson: str | None = None,
    hints: LayoutHints | None = None,
    skip: Path | None = None,
) -> Answers:
    """The answers of everybody in a folder or archive of submissions.

    Args:
        root: As it was downloaded.
        lesson: The lesson's number; None if the answer cells say which.
        hints: What the instructor says about the layout.
        skip: A folder in it to leave out: the gradebook.

    Raises:
        CourseError: There is nothing there, no answer cell, answers of several lessons, or the
            layout is in doubt.
    """
    hints = hints or LayoutHints()
    if not (root.is_dir() or root.is_file()):
        raise CourseError(f"There is nothing at {root}; name the folder or zip of submissions.")
    tree = read_tree(root, skip)
    lesson = lesson or _only_lesson(tree, root)
    questions = written.questions(lesson)
    if not questions:
        known = ", ".join(sorted({x.lesson for x in written.questions()}))
        raise CourseError(f"Lesson {lesson} has no open question; lessons that do: {known}.")
    contents = _Contents([x.function for x in catalog.exercises(lesson)])
    layout = recognize(tree, contents.holds_work, contents.is_course, hints)
    if not layout.students:
        raise CourseError(f"No submission is in {root}; name the folder or zip of submissions.")
    if layout.questions and not hints.accept:
        raise CourseError(
            f"Nothing was collected, because {layout.questions[0].removesuffix('.')}; "
            "--yes accepts this reading."
        )
    result = Answers(lesson, questions, layout=_described(layout))
    for _, student in sorted(layout.students.items()):
        _add(result, student)
    result.uses += [FileUse(x.display_path, "", x.problem or why) for x, why in layout.strays]
    result.uses.sort(key=lambda x: (x.file, x.student))
    return result


def _only_lesson(tree: Node, root: Path) -> str:
    """The lesson of the answer cells in a tree; of those that are filled in, if any are."""
    cells = [answer for node in tree.files() for answer in node.answers]
    counts = Counter(x.question[:2] for x in [x for x in cells if x.text] or cells)
    if len(counts) == 1:
        return next(iter(counts))
    if not counts:
        raise CourseError(
            f"No file in {root} has an answer cell (its first line is <!-- ift: answer ... -->); "
            "name the lesson with --lesson 03 if the cells were removed."
        )
    raise CourseError(
        f"{root} has answers of the lessons {', '.join(sorted(counts))}; choose one with "
        f"--lesson {min(counts)}."
    )


def _described(layout: Layout) -> str:
    count = len(layout.students)
    names = listed([student.key for _, student in sorted(layout.students.items())])
    return f"Read as {count} student{'s' if count != 1 else ''} ({layout.kind}): {names}."


def _add(result: Answers, student: StudentFiles) -> None:
    """Adds the answers of one student, from the file that answers the most questions."""
    ids = {x.id for x in result.questions}
    files = [x for node in student.nodes for x in node.files()]
    candidates = [x for x in files if not x.junk and any(a.question in ids for a in x.answers)]
    own = [x for x in candidates if not x.checkpoint]
    ranked = sorted(own or candidates, key=lambda x: _rank(x, ids))
    chosen = ranked[-1] if ranked else None
    cells = {x.question: x.text for x in chosen.answers} if chosen else {}
    place = (chosen or student.nodes[0]).display_path
    for question in result.questions:
        result.answers.append(
            StudentAnswer(student.key, student.name, question.id, cells.get(question.id, ""),
                          place, question.id in cells)
        )  # fmt: skip
    for file in files:
        reason = "" if file is chosen else _reason(file, chosen, ids)
        result.uses.append(FileUse(file.display_path, student.key, reason))


def _rank(node: Node, ids: set[str]) -> tuple[object, ...]:
    """What a student's files are sorted by; the last one counts."""
    answered = sum(1 for x in node.answers if x.question in ids and x.text)
    match = next((m for part in node.path if (m := CANVAS.fullmatch(part))), None)
    return answered, float(match["attachment"]) if match else node.modified, node.display_path


def _reason(node: Node, chosen: Node | None, ids: set[str]) -> str:
    """Why one of a student's files was not used."""
    if node.junk:
        return JUNK
    mine = {x for x in node.answers if x.question in ids and x.text}
    if mine and chosen and mine - set(chosen.answers):
        return f"It has another answer than the file that was used, {chosen.display_path}."
    if chosen and any(x.question in ids for x in node.answers):
        return "Another file of the same student was used."
    if node.problem and not node.answers:
        return node.problem
    others = sorted({x.question[:2] for x in node.answers} - {x[:2] for x in ids})
    return f"Its answers are of lesson {others[0]}." if others else "It has no answer cell."
