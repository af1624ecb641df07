"""What was handed in: one submission for each student, and an account of every file.

`handed_in` reads the files, `layouts` finds out whose they are, `work` what they hold. Here the
file that is graded is chosen. Whatever else was handed in is named with the reason.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ift_course.errors import CourseError
from ift_course.exercises.notebook_cells import Unreadable, read
from ift_course.grading.handed_in import Node, clean, notebook_of, tree
from ift_course.grading.layouts import (
    CANVAS,
    METADATA,
    NBGRADER_COPY,
    TIMESTAMP,
    Layout,
    Pile,
    Reading,
    recognize,
)
from ift_course.grading.work import Work, survey

__all__ = ["Collection", "Reading", "Submission", "Unreadable", "cells", "clean", "collect", "find"]

MOST_NAMED = 3  # names in one sentence
PACKAGE = "ift_course"
LEAST_OF_PACKAGE = 50  # files of it that make a copy of the course
CLONE_FOLDERS = {"tests", "site", "benchmarks", "docs"}  # in it nobody works in these


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

    def about(self) -> dict:
        """What the results say of it apart from its content."""
        return {
            "name": self.name, "source": self.source, "late": self.late, "problem": self.problem,
            "submitted": self.submitted, "flags": list(self.flags), "members": list(self.members),
        }  # fmt: skip


@dataclass(frozen=True)
class Use:
    """What became of one file. reason: why it was not used; empty if it was."""

    file: str
    student: str
    reason: str = ""


@dataclass
class Collection:
    """Everything that was handed in.

    Attributes:
        submissions: By student.
        uses: One for each file.
        layout: How the tree was read, in words.
        questions: Why that may be wrong.
    """

    submissions: list[Submission] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    layout: str = ""
    questions: list[str] = field(default_factory=list)

    def account(self) -> dict:
        """For the results: the files, used and not, and the students."""
        unused = [[x.file, x.student, x.reason] for x in self.uses if x.reason]
        used = [[x.file, x.student] for x in self.uses if not x.reason]
        return {
            "kind": "account", "layout": self.layout, "files": len(self.uses), "used": used,
            "unused": unused, "students": [x.student for x in self.submissions],
            "questions": self.questions,
        }  # fmt: skip


def find(
    root: Path, lesson: str, functions: list[str], reading: Reading | None = None
) -> Iterator[Submission]:
    """The submissions in a folder, an archive or a single file, one per student, by student.

    Raises:
        CourseError: As `collect`, except that it does not matter if all are of another lesson.
    """
    yield from collect(root, lesson, functions, reading, any_lesson=True).submissions


def collect(
    root: Path,
    lesson: str,
    functions: list[str],
    reading: Reading | None = None,
    skip: Path | None = None,
    any_lesson: bool = False,
) -> Collection:
    """Everything in a folder or archive of submissions.

    Args:
        root: As it was downloaded.
        lesson: The lesson's number.
        functions: What the learner writes in it.
        reading: What the instructor says about the layout.
        skip: A folder in it to leave out: the gradebook.
        any_lesson: Do not ask whether the lesson is right if everything is of another one.

    Raises:
        CourseError: There is no such folder or archive, nothing was handed in, or the tree may
            mean something else, which the instructor has to decide.
    """
    reading = reading or Reading()
    if not (root.is_dir() or root.is_file()):
        raise CourseError(f"There is nothing at {root}; name the folder or zip of submissions.")
    top = tree(root, skip)
    works = _Works(functions)
    layout = recognize(top, works.holds_work, works.is_course, reading)
    if not layout.piles:
        raise CourseError(
            f"No notebook and no .py file is in {root}; hand over the folder or the zip that holds "
            "the submissions, as it was downloaded."
        )
    collection = Collection(layout=_described(layout), questions=list(layout.questions))
    for _, pile in sorted(layout.piles.items()):
        submission, uses = _Choice(pile, lesson, works).made()
        collection.submissions.append(submission)
        collection.uses += uses
    collection.uses += [Use(x.shown, "", "") for x in layout.system]
    collection.uses += [Use(x.shown, "", x.problem or reason) for x, reason in layout.strays]
    collection.uses.sort(key=lambda x: (x.file, x.student))
    collection.questions += _doubts(layout, works)
    if not any_lesson:
        collection.questions += _other_lesson(layout, works, lesson)
    if collection.questions and not reading.accept:
        raise CourseError(_question(collection))
    return collection


def cells(submission: Submission) -> list[tuple[int, str]]:
    """(number, source) of each code cell, of a notebook of any version or of a .py file.

    Raises:
        Unreadable: With a sentence that says why.
    """
    if submission.problem:
        raise Unreadable(submission.problem)
    return read(submission.data, submission.source)


class _Works:
    """What each file holds; every content is looked into once."""

    def __init__(self, functions: list[str]) -> None:
        self.functions = functions
        self._known: dict[tuple[str, bool], Work] = {}

    def of(self, node: Node) -> Work:
        if not node.code:
            return Work()
        packaged = PACKAGE in node.path[:-1]
        key = node.sha, packaged
        if key not in self._known:
            work = survey(node.code, self.functions)
            if packaged and not work.course:
                work.course = "part of a copy of the course's package"
            self._known[key] = work
        return self._known[key]

    def holds_work(self, node: Node) -> bool:
        """Whether a file defines functions of the course and is not the course's own."""
        work = self.of(node)
        own = not node.junk and not node.checkpoint and not work.course
        return own and bool(work.defined or work.others)

    def is_course(self, node: Node) -> bool:
        """Whether a file is one that the course hands out, solved or not."""
        work = self.of(node)
        handed_out = any(x.stamp for x in node.code or []) and not work.solved
        return bool(work.course or work.solution) or handed_out


class _Choice:
    """Which of a student's files is graded, and what the instructor should know about it."""

    def __init__(self, pile: Pile, lesson: str, works: _Works) -> None:
        self._pile = pile
        self._lesson = lesson
        self._works = works
        self._files = [x for node in pile.nodes for x in node.files()]
        self._archives = {x for node in pile.nodes for x in _archives(node)}
        self._clones = _clones(self._files)
        readable = [x for x in self._files if x.code and not x.junk and not self._course_file(x)]
        self._copies = {id(x) for x in self._course_copies(readable)}
        readable = [x for x in readable if id(x) not in self._copies]
        own = [x for x in readable if not x.checkpoint]
        self._candidates = sorted(own or readable, key=self._rank)

    def _course_copies(self, readable: list[Node]) -> list[Node]:
        """The course's solutions inside of a copy of the course, whatever it is called there.

        A solution beside other solutions of the course, or away from the file that the student
        works in, came with the course. By itself it is what the student handed in.
        """
        surveyed = [(x, self._works.of(x)) for x in self._files if x.code]
        shipped = [(x.path[:-1], work) for x, work in surveyed if work.solution or work.course]
        contents = {place: set() for place, _ in shipped}
        for place, work in shipped:
            contents[place].add(work.course or work.solution)
        answers = {x.path[:-1] for x in readable if not self._works.of(x).solution}
        return [
            x
            for x, work in surveyed
            if work.solution and (len(contents[x.path[:-1]]) > 1 or answers - {x.path[:-1]})
        ]

    def made(self) -> tuple[Submission, list[Use]]:
        pile, chosen = self._pile, self._candidates[-1] if self._candidates else None
        submission = Submission(
            student=pile.key,
            name=pile.name,
            source=chosen.shown if chosen else pile.nodes[0].shown,
            data=notebook_of(chosen.code) if chosen else b"",
            late=pile.late,
            submitted=pile.submitted,
            notes=tuple(self._notes(chosen)) if chosen else (),
            problem="" if chosen else self._problem(),
            flags=(*pile.flags, *(self._flags(chosen) if chosen else ())),
            members=pile.members,
        )
        read = {id(x) for x in self._pile.system}
        return submission, [self._use(x, chosen) for x in self._files if id(x) not in read]

    def _rank(self, node: Node) -> tuple:
        work = self._works.of(node)
        numbered = bool(re.search(rf"(?<!\d){self._lesson}(?!\d)", node.shown))
        return (
            len(work.own), len(work.solved), len(work.defined), numbered,
            ".ipynb" in node.name.lower(), self._when(node), node.shown,
        )  # fmt: skip

    def _when(self, node: Node) -> float:
        """How late a file was handed in, as far as the system says: Canvas numbers attachments.

        What a student's own archive says of its files does not count.
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
                return f"Only {course} was handed in ({node.shown})."
        for node in self._files:
            if node.problem and not node.junk:
                return f"{node.shown}: {node.problem}"
        others = [x.shown for x in self._files if not x.junk]
        if others:
            return f"No notebook and no Python file was handed in, only {_names(others)}."
        return "The folder is empty: nothing was handed in."

    def _course(self, node: Node) -> str:
        """What of the course a file is that is nobody's answer, or an empty text."""
        copy = "the course's own solution" if id(node) in self._copies else ""
        return self._course_file(node) or copy

    def _course_file(self, node: Node) -> str:
        for clone in self._clones:
            if node.path[: len(clone)] == clone and node.path[len(clone)] in CLONE_FOLDERS:
                return "part of a copy of the course"
        return self._works.of(node).course

    def _notes(self, chosen: Node) -> Iterator[str]:
        if len(self._candidates) > 1:
            yield f"{len(self._candidates)} files were handed in; {chosen.shown} was graded."

    def _flags(self, chosen: Node) -> Iterator[str]:
        work = self._works.of(chosen)
        if chosen.checkpoint:
            yield "Only a checkpoint was handed in, a copy that Jupyter makes on its own."
        if not work.defined and not work.library:
            yield _no_function(work, self._lesson)
        elif work.defined and not work.solved:
            copies = (x for x in self._files if id(x) in self._copies and self._works.of(x).defined)
            solution = next((x.shown for x in copies), "")
            more = f" The course's own solution lies in {solution}." if solution else ""
            yield f"No exercise is begun in the graded file.{more}"
        if work.copied:
            yield f"The course's own solution, word for word: {_names(sorted(work.copied))}."
        for name, used in sorted(work.library.items()):
            yield f"{name} calls the course's own library ({clean(used)})."
        yield from self._rivals(chosen, work)
        for node in [x for x in self._files if x.problem and not x.junk][:MOST_NAMED]:
            if node.kind == "archive" or ".ipynb" in node.name.lower() or not node.sha:
                yield f"{node.shown} was handed in too. {node.problem}"

    def _rivals(self, chosen: Node, work: Work) -> Iterator[str]:
        """Other files that may be the one the student meant."""
        for node in self._candidates[:-1]:
            rival = self._works.of(node)
            more = sorted(rival.solved - work.solved)
            if more:
                yield f"{node.shown} solves {_names(more)}, which the graded file does not."
            elif rival.solved and rival.solved == work.solved and node.code != chosen.code:
                yield f"{node.shown} solves as many exercises as the graded file, {chosen.shown}."

    def _use(self, node: Node, chosen: Node | None) -> Use:
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
        elif node.name in (TIMESTAMP, METADATA):
            reason = "The student's own: only what the system wrote counts."
        else:
            reason = "Neither a notebook nor a Python file."
        return Use(node.shown, self._pile.key, reason)


def _clones(files: list[Node]) -> list[tuple[str, ...]]:
    """The folders that hold a copy of the course: most of its package lies in them."""
    places = Counter(x.path[: x.path.index(PACKAGE)] for x in files if PACKAGE in x.path[:-1])
    return [place for place, count in places.items() if count >= LEAST_OF_PACKAGE]


def _archives(node: Node) -> Iterator[tuple[str, ...]]:
    """The places of the archives in a node, itself included."""
    if node.kind == "archive":
        yield node.path
    for child in node.children.values():
        yield from _archives(child)


def _no_function(work: Work, lesson: str) -> str:
    if work.others:
        function, other = sorted(work.others.items())[0]
        return f"It is of lesson {other} ({function}), and has no function of lesson {lesson}."
    return f"It has no function of lesson {lesson}."


def _names(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _described(layout: Layout) -> str:
    """How a tree was read, in one sentence."""
    where = _names([x for x in layout.where if x])
    inside = f" in {where}" if where else ""
    form = {"folder": "a folder or file for each", "flat": "a file for each"}
    how = form.get(layout.kind, f"the form of {layout.kind.capitalize()}")
    names = _names([pile.key for _, pile in sorted(layout.piles.items())])
    return f"Read as {_students(layout)}{inside}, {how}: {names}."


def _students(layout: Layout) -> str:
    return "1 student" if len(layout.piles) == 1 else f"{len(layout.piles)} students"


def _doubts(layout: Layout, works: _Works) -> list[str]:
    """What makes the result implausible, whatever the layout."""
    doubts = []
    strays = [x for x, why in layout.strays if works.holds_work(x) and why != NBGRADER_COPY]
    if strays:
        names = _names([x.shown for x in strays])
        doubts.append(f"{names} would be left out, because no student can be found for it")
    solutions = [x for x in _contents(layout, works) if x.own]
    if len(solutions) > 4 * len(layout.piles):
        doubts.append(
            f"there are {len(solutions)} different solutions for only {_students(layout)}; say "
            "with --student-level how deep the students' folders lie"
        )
    return doubts


def _other_lesson(layout: Layout, works: _Works, lesson: str) -> list[str]:
    contents = _contents(layout, works)
    others = Counter(other for x in contents for other in set(x.others.values()))
    if not others or any(x.defined for x in contents):
        return []
    return [f"nobody handed in lesson {lesson}, but lesson {others.most_common(1)[0][0]}"]


def _contents(layout: Layout, works: _Works) -> list[Work]:
    """What the students' files hold, each content once."""
    nodes = (x for pile in layout.piles.values() for node in pile.nodes for x in node.files())
    return list({x.sha: works.of(x) for x in nodes if works.holds_work(x)}.values())


def _question(collection: Collection) -> str:
    first, *others = collection.questions
    more = f" (and {len(others)} more)" if others else ""
    first = first.removesuffix(".")
    return (
        f"Nothing was graded, because {first}{more}; --yes accepts this reading: "
        f"{collection.layout}"
    )
