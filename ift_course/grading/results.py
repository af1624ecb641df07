"""The one file of results: lines are only ever added, so that killing a run loses none.

Student code runs while the file is open. Where the sandbox is weak it could write to it, so a copy
that no path leads to is kept beside it, and the file is compared with that in the end.

Four kinds of lines. A `plan` says which checks there are; an `account` what became of every file
of a folder of submissions; a `submission` what was found of a student; a `verdict` what one check
said. The last line about something is the one that counts.
"""

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ift_course.errors import CourseError

Line = dict[str, Any]


@dataclass
class Results:
    """What the file says.

    Attributes:
        accounts: By the folder or archive of submissions.
        submissions: By student.
        verdicts: By student and id of the check.
    """

    plan: Line = field(default_factory=dict)
    accounts: dict[str, Line] = field(default_factory=dict)
    submissions: dict[str, Line] = field(default_factory=dict)
    verdicts: dict[tuple[str, str], Line] = field(default_factory=dict)

    def take(self, line: Line) -> None:
        """Adds one line."""
        if line["kind"] == "plan":
            self.plan = line
        elif line["kind"] == "account":
            self.accounts[line["root"]] = line
        elif line["kind"] == "submission":
            self.submissions[line["student"]] = line
        elif line["kind"] == "verdict":
            self.verdicts[line["student"], line["check"]] = line

    def is_stale(self, student: str) -> bool:
        """Whether a student was found once where nobody of that name is found any more."""
        account = self.accounts.get(self.submissions[student].get("root", ""))
        return account is not None and student not in account["students"]

    def has(self, student: str, check: str, key: str) -> bool:
        """Whether this very check was run on this very submission."""
        found = self.verdicts.get((student, check))
        return found is not None and found["key"] == key


class ResultsFile:
    """`results.jsonl`, open for adding. One run at a time holds it. A context manager.

    Raises:
        CourseError: another run has the file, it holds a line that is no result, or something else
            changed it in the meantime (it is restored then).
    """

    def __init__(self, path: Path) -> None:
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

    def __enter__(self) -> "ResultsFile":
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
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
        """Whether the file was not as this run left it; it is so again."""
        self._copy.seek(0)
        try:
            same = self._path.read_bytes() == self._copy.read()
            if same and stat.S_IMODE(self._path.stat().st_mode) == self._mode:
                return False
        except OSError:
            pass  # it was removed, or may not be read any more
        self._copy.seek(0)
        fresh = self._path.with_name(f".{self._path.name}.restored")
        with open(fresh, "wb") as file:
            shutil.copyfileobj(self._copy, file)
        os.chmod(fresh, self._mode)
        os.replace(fresh, self._path)
        return True

    def add(self, lines: Iterable[Line]) -> None:
        """Writes lines, all or (when the power goes) some, to the disk before it returns."""
        lines = list(lines)
        text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines).encode()
        self._copy.write(text)
        self._file.write(text)
        self._file.flush()
        os.fsync(self._file.fileno())
        for line in lines:
            self.results.take(line)


def read(path: Path) -> Results:
    """The results in a file; none if there is no file. A last line without an end is no line.

    Raises CourseError for a line in the middle that cannot be read.
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


def _drop_half_line(path: Path, file: Any) -> None:
    """A run that was killed while writing left half a line: what follows must not join it."""
    data = path.read_bytes()
    file.truncate(data.rfind(b"\n") + 1)
