"""Which of a student's files is graded; whatever else was handed in is named with the reason."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from ift_course.grading.names import clean
from ift_course.grading.submissions.contents import FileContents, survey
from ift_course.grading.submissions.forms import CANVAS, GRADESCOPE_METADATA
from ift_course.grading.submissions.recognize import TIMESTAMP
from ift_course.grading.submissions.submission import FileUse, Submission
from ift_course.grading.submissions.tree import notebook_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ift_course.grading.submissions.layouts import StudentFiles
    from ift_course.grading.submissions.nodes import Node

MOST_NAMED = 3  # names in one sentence
PACKAGE = "ift_course"
LEAST_OF_PACKAGE = 50  # files of it that make a copy of the course
CLONE_FOLDERS = {"tests", "site", "benchmarks", "docs"}  # nobody works in these folders of a clone


class ContentsOfFiles:
    """What each file holds; every content is surveyed once."""

    def __init__(self, functions: list[str]) -> None:
        """Knows no file yet.

        Args:
            functions: The functions of the lesson that is graded.
        """
        self._functions = functions
        self._known: dict[tuple[str, bool], FileContents] = {}

    def of(self, node: Node) -> FileContents:
        """What a file holds."""
        if not node.code:
            return FileContents()
        packaged = PACKAGE in node.path[:-1]
        key = node.sha, packaged
        if key not in self._known:
            contents = survey(node.code, self._functions)
            if packaged and not contents.course:
                contents.course = "part of a copy of the course's package"
            self._known[key] = contents
        return self._known[key]

    def holds_work(self, node: Node) -> bool:
        """Whether a file defines functions of the course and is not the course's own."""
        contents = self.of(node)
        own = not node.junk and not node.checkpoint and not contents.course
        return own and bool(contents.defined or contents.others)

    def is_course(self, node: Node) -> bool:
        """Whether a file is one that the course hands out, solved or not."""
        contents = self.of(node)
        handed_out = any(x.stamp for x in node.code or []) and not contents.solved
        return bool(contents.course or contents.solution) or handed_out


class FileChoice:
    """Which of a student's files is graded, and what the instructor should know about it."""

    def __init__(self, student: StudentFiles, lesson: str, contents: ContentsOfFiles) -> None:
        """Chooses the file.

        Args:
            student: All that the student handed in.
            lesson: The lesson's number.
            contents: What the files hold.
        """
        self._student = student
        self._lesson = lesson
        self._contents = contents
        self._files = [x for node in student.nodes for x in node.files()]
        self._archives = {x for node in student.nodes for x in _archive_paths(node)}
        self._clones = _clones(self._files)
        readable = [x for x in self._files if x.code and not x.junk and not self._course_file(x)]
        self._copies = {id(x) for x in self._course_copies(readable)}
        readable = [x for x in readable if id(x) not in self._copies]
        own = [x for x in readable if not x.checkpoint]
        self._candidates = sorted(own or readable, key=self._rank)

    def _course_copies(self, readable: list[Node]) -> list[Node]:
        """The course's solutions inside a copy of the course, whatever they are called there.

        A solution beside other solutions of the course, or away from the file that the student
        works in, came with the course. By itself it is what the student handed in.
        """
        surveyed = [(x, self._contents.of(x)) for x in self._files if x.code]
        shipped: dict[tuple[str, ...], set[object]] = {}
        for file, contents in surveyed:
            if contents.solution or contents.course:
                distinct = shipped.setdefault(file.path[:-1], set())
                distinct.add(contents.course or contents.solution)
        answers = {x.path[:-1] for x in readable if not self._contents.of(x).solution}
        return [
            file
            for file, contents in surveyed
            if contents.solution
            and (len(shipped[file.path[:-1]]) > 1 or answers - {file.path[:-1]})
        ]

    def submission(self) -> tuple[Submission, list[FileUse]]:
        """The submission, and what became of each of the student's files."""
        student, chosen = self._student, self._candidates[-1] if self._candidates else None
        submission = Submission(
            student=student.key,
            name=student.name,
            source=(chosen or student.nodes[0]).display_path,
            data=notebook_of(chosen.code or []) if chosen else b"",
            late=student.late,
            submitted=student.submitted,
            notes=tuple(self._notes(chosen)) if chosen else (),
            problem="" if chosen else self._problem(),
            flags=(*student.flags, *(self._flags(chosen) if chosen else ())),
            members=student.members,
        )
        system = {id(x) for x in student.system}
        return submission, [self._use(x, chosen) for x in self._files if id(x) not in system]

    def _rank(self, node: Node) -> tuple[object, ...]:
        """What the candidates are sorted by, the one that is graded last."""
        contents = self._contents.of(node)
        numbered = bool(re.search(rf"(?<!\d){self._lesson}(?!\d)", node.display_path))
        return (
            len(contents.own), len(contents.solved), len(contents.defined), numbered,
            ".ipynb" in node.name.lower(), self._time(node), node.display_path,
        )  # fmt: skip

    def _time(self, node: Node) -> float:
        """How late a file was handed in, as far as the system says: Canvas numbers attachments.

        The times in a student's own archive do not count.
        """
        for part in node.path:
            if match := CANVAS.fullmatch(part):
                return float(match["attachment"])
        packed = any(node.path[: len(place)] == place for place in self._archives)
        return 0.0 if packed else node.modified

    def _problem(self) -> str:
        """Why there is nothing to grade."""
        for node in self._files:
            if course := self._course(node):
                return f"Only {course} was handed in ({node.display_path})."
        for node in self._files:
            if node.problem and not node.junk:
                return f"{node.display_path}: {node.problem}"
        others = [x.display_path for x in self._files if not x.junk]
        if others:
            return f"No notebook and no Python file was handed in, only {listed(others)}."
        return "The folder is empty: nothing was handed in."

    def _course(self, node: Node) -> str:
        """Which part of the course a file is, and so nobody's answer; empty if it is none."""
        copy = "the course's own solution" if id(node) in self._copies else ""
        return self._course_file(node) or copy

    def _course_file(self, node: Node) -> str:
        for clone in self._clones:
            if node.path[: len(clone)] == clone and node.path[len(clone)] in CLONE_FOLDERS:
                return "part of a copy of the course"
        return self._contents.of(node).course

    def _notes(self, chosen: Node) -> Iterator[str]:
        if len(self._candidates) > 1:
            yield f"{len(self._candidates)} files were handed in; {chosen.display_path} was graded."

    def _flags(self, chosen: Node) -> Iterator[str]:
        contents = self._contents.of(chosen)
        if chosen.checkpoint:
            yield "Only a checkpoint was handed in, a copy that Jupyter makes on its own."
        if not contents.defined and not contents.library:
            yield _no_function(contents, self._lesson)
        elif contents.defined and not contents.solved:
            copies = (x for x in self._files if id(x) in self._copies)
            solutions = (x.display_path for x in copies if self._contents.of(x).defined)
            solution = next(solutions, "")
            more = f" The course's own solution lies in {solution}." if solution else ""
            yield f"No exercise is begun in the graded file.{more}"
        if contents.copied:
            yield f"The course's own solution, word for word: {listed(sorted(contents.copied))}."
        for name, used in sorted(contents.library.items()):
            yield f"{name} calls the course's own library ({clean(used)})."
        yield from self._rivals(chosen, contents)
        for node in [x for x in self._files if x.problem and not x.junk][:MOST_NAMED]:
            if node.kind == "archive" or ".ipynb" in node.name.lower() or not node.sha:
                yield f"{node.display_path} was handed in too. {node.problem}"

    def _rivals(self, chosen: Node, contents: FileContents) -> Iterator[str]:
        """Other files that may be the one the student meant."""
        for node in self._candidates[:-1]:
            rival, path = self._contents.of(node), node.display_path
            more = sorted(rival.solved - contents.solved)
            if more:
                yield f"{path} solves {listed(more)}, which the graded file does not."
            elif rival.solved and rival.solved == contents.solved and node.code != chosen.code:
                yield (
                    f"{path} solves as many exercises as the graded file, {chosen.display_path}."
                )

    def _use(self, node: Node, chosen: Node | None) -> FileUse:
        """What became of one of the student's files."""
        course = self._course(node)
        if node is chosen:
            reason = ""
        elif node.problem:
            reason = node.problem
        elif node.junk or (node.checkpoint and not node.code):
            reason = "Written by an editor or the operating system."
        elif course:
            reason = f"It is {course}."
        elif node.checkpoint:
            reason = "A checkpoint, a copy that Jupyter makes on its own."
        elif node.code:
            reason = "Another file of the same student was graded."
        elif node.name in (TIMESTAMP, GRADESCOPE_METADATA):
            reason = "The student's own file: only one that the system wrote counts."
        else:
            reason = "Neither a notebook nor a Python file."
        return FileUse(node.display_path, self._student.key, reason)


def _clones(files: list[Node]) -> list[tuple[str, ...]]:
    """The folders that hold a copy of the course: most of its package lies in them."""
    places = Counter(x.path[: x.path.index(PACKAGE)] for x in files if PACKAGE in x.path[:-1])
    return [place for place, count in places.items() if count >= LEAST_OF_PACKAGE]


def _archive_paths(node: Node) -> Iterator[tuple[str, ...]]:
    """The paths of the archives in a node, itself included."""
    if node.kind == "archive":
        yield node.path
    for child in node.children.values():
        yield from _archive_paths(child)


def _no_function(contents: FileContents, lesson: str) -> str:
    """What is said of a file without any function of the lesson."""
    if contents.others:
        function, other = sorted(contents.others.items())[0]
        return f"It is of lesson {other} ({function}), and has no function of lesson {lesson}."
    return f"It has no function of lesson {lesson}."


def listed(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
