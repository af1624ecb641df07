"""The one file of results: lines are only ever added, so that killing a run loses none.

Student code runs while the file is open. Where the sandbox is weak it could write to it, so a copy
that no path leads to is kept beside it, and the file is compared with that copy in the end.

There are four kinds of lines. A `plan` lists the checks; an `account` says what became of every
file of a folder of submissions; a `submission` describes what a student handed in; a `verdict` is
the result of one check for one student. The last line about something is the one that counts.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypedDict

from ift_course.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from typing_extensions import NotRequired, Self


class PlannedCheck(TypedDict):
    """One check in a `PlanLine`.

    Attributes:
        id: As "02.3/test_name".
        title: In words for the learner.
        worth: Its points.
        hidden: Whether only the instructor's grader runs it.
        written: Whether it is a criterion of an open question, which people mark.
    """

    id: str
    title: str
    worth: float
    hidden: bool
    written: NotRequired[bool]


class PlannedExercise(TypedDict):
    """One exercise in a `PlanLine`."""

    id: str
    function: str
    title: str
    checks: list[PlannedCheck]


class PlanLine(TypedDict):
    """The checks of the lesson, by exercise."""

    kind: Literal["plan"]
    lesson: str
    exercises: list[PlannedExercise]


class AccountLine(TypedDict):
    """What became of every file of a folder of submissions.

    Attributes:
        root: The folder or archive.
        layout: How it was read, in words.
        files: How many there are.
        used: [file, student] of each.
        unused: [file, student, reason] of each.
        students: Their keys.
        questions: Why the reading may be wrong.
    """

    kind: Literal["account"]
    root: str
    layout: str
    files: int
    used: list[list[str]]
    unused: list[list[str]]
    students: list[str]
    questions: list[str]


class SubmissionLine(TypedDict):
    """What one student or group handed in; see `submissions.submission.Submission`.

    Attributes:
        sha: Of the content.
        notes: For the student.
        rungs: The layers of the sandbox that were active; none where no code ran.
        problem: Why nothing can be graded; empty if something can.
        flags: For the instructor.
        root: Of the `AccountLine` that lists the files.
    """

    kind: Literal["submission"]
    student: str
    name: str
    source: str
    sha: str
    late: bool
    submitted: str
    notes: list[str]
    rungs: list[str]
    problem: NotRequired[str]
    flags: NotRequired[list[str]]
    members: NotRequired[list[dict[str, str]]]
    root: NotRequired[str]


class Mask(TypedDict):
    """A loss mask that was compared: the tokens, and which of them are trained."""

    tokens: list[str]
    expected: list[bool]
    got: list[bool]


class VerdictLine(TypedDict):
    """The result of one check for one student; see `checks.run.Verdict`.

    Attributes:
        key: Changes whenever the verdict may.
        points: What the check was worth when it ran.
        seconds: How long it took.
        misconception: The name of the one that was recognized.
        advice: About that misconception.
    """

    kind: Literal["verdict"]
    student: str
    key: str
    check: str
    title: str
    points: float
    status: str
    message: str
    seconds: float
    given: NotRequired[str]
    expected: NotRequired[str]
    got: NotRequired[str]
    line: NotRequired[str]
    number: NotRequired[int]
    mask: NotRequired[Mask | None]
    misconception: NotRequired[str]
    advice: NotRequired[str]


Line = PlanLine | AccountLine | SubmissionLine | VerdictLine


@dataclass
class Results:
    """The content of the file.

    Attributes:
        plan: The checks; None if nothing has been graded yet.
        accounts: By the folder or archive of submissions.
        submissions: By student.
        verdicts: By student and id of the check.
    """

    plan: PlanLine | None = None
    accounts: dict[str, AccountLine] = field(default_factory=dict)
    submissions: dict[str, SubmissionLine] = field(default_factory=dict)
    verdicts: dict[tuple[str, str], VerdictLine] = field(default_factory=dict)

    def take(self, line: Line) -> None:
        """Adds one line; an earlier one about the same thing no longer counts."""
        if line["kind"] == "plan":
            self.plan = line
        elif line["kind"] == "account":
            self.accounts[line["root"]] = line
        elif line["kind"] == "submission":
            self.submissions[line["student"]] = line
        elif line["kind"] == "verdict":
            self.verdicts[line["student"], line["check"]] = line

    def is_stale(self, student: str) -> bool:
        """Whether the folder of a student's submission no longer has a student of this name."""
        account = self.accounts.get(self.submissions[student].get("root", ""))
        return account is not None and student not in account["students"]

    def has(self, student: str, check: str, key: str) -> bool:
        """Whether this very check was run on this very submission."""
        verdict = self.verdicts.get((student, check))
        return verdict is not None and verdict["key"] == key


class ResultsFile:
    """`results.jsonl`, open for adding; one run at a time holds it. A context manager.

    Attributes:
        results: What the file holds.
    """

    def __init__(self, path: Path) -> None:
        """Reads the file and locks it; it is created where it is missing.

        Args:
            path: Of the file.

        Raises:
            CourseError: Another run has the file, or one of its lines cannot be read.
        """
        from filelock import FileLock, Timeout

        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path.with_name(f".{path.name}.lock"))
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise CourseError(f"Another run is grading into {path.parent}; wait for it.") from None
        self.results = read(path)
        self._path = path
        self._file = open(path, "ab")  # noqa: SIM115
        _drop_half_line(path, self._file)
        self._mode = stat.S_IMODE(path.stat().st_mode)
        self._copy = tempfile.TemporaryFile()  # noqa: SIM115
        self._copy.write(path.read_bytes())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        """Restores the file if something else changed it.

        Raises:
            CourseError: It was restored; not if another exception is on its way.
        """
        self._file.close()
        try:
            if self._restored() and kind is None:
                raise CourseError(
                    f"Something else changed {self._path} while student code ran; it has been "
                    "restored. See `ift doctor --grading`, and run the same command again."
                )
        finally:
            self._copy.close()
            self._lock.release()

    def _restored(self) -> bool:
        """Whether the file differed from what this run wrote, and had to be restored."""
        self._copy.seek(0)
        try:
            same = self._path.read_bytes() == self._copy.read()
            if same and stat.S_IMODE(self._path.stat().st_mode) == self._mode:
                return False
        except OSError:
            pass  # it was removed, or can no longer be read
        self._copy.seek(0)
        fresh = self._path.with_name(f".{self._path.name}.restored")
        with open(fresh, "wb") as file:
            shutil.copyfileobj(self._copy, file)
        os.chmod(fresh, self._mode)
        os.replace(fresh, self._path)
        return True

    def add(self, lines: Iterable[Line]) -> None:
        """Writes lines to the disk before it returns: all, or (when the power fails) some."""
        lines = list(lines)
        text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines).encode()
        self._copy.write(text)
        self._file.write(text)
        self._file.flush()
        os.fsync(self._file.fileno())
        for line in lines:
            self.results.take(line)


def read(path: Path) -> Results:
    """The results in a file; empty if there is no file.

    Args:
        path: Of the file. A last line without an end is not counted.

    Raises:
        CourseError: A line in the middle cannot be read.
    """
    results = Results()
    if not path.is_file():
        return results
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                break
            try:
                results.take(json.loads(line))
            except (ValueError, KeyError, TypeError):
                raise CourseError(
                    f"Line {number} of {path} is damaged; remove that line and grade again."
                ) from None
    return results


def _drop_half_line(path: Path, file: BinaryIO) -> None:
    """Removes half a line that a killed run left behind, so that the next does not join it."""
    data = path.read_bytes()
    file.truncate(data.rfind(b"\n") + 1)
