"""A class of capstones: every zip is opened, examined and written down, whatever the others hold.

One line of `capstones.jsonl` for each, keyed by the hash of the zip, the exam and the package: a
run that was stopped goes on where it was, and a zip that was replaced is examined again.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import ift_course
from ift_course.capstone.baselines import BASELINES, Baseline, baseline_adapter
from ift_course.capstone.exam import Exam
from ift_course.capstone.examine import (
    ExamResult,
    examine_in_sandbox,
    new_sandbox,
    require_sandbox,
)
from ift_course.capstone.opening import open_submission
from ift_course.capstone.packing import course_base
from ift_course.capstone.rules import LARGEST_ZIP, MOST_STEPS, Refusal
from ift_course.capstone.suspicion import look_at_rows
from ift_course.errors import CourseError
from ift_course.grading.names import clean
from ift_course.models.checksums import sha256

if TYPE_CHECKING:
    from ift_course.grading.sandbox import Sandbox

RESULTS = "capstones.jsonl"  # not the results.jsonl of a gradebook, which may be beside it
Status = Literal["examined", "refused", "needs review", "baseline"]


@dataclass(frozen=True)
class Entry:
    """What became of one submission, or of a baseline.

    Attributes:
        student: Whose it is, as the folder says; or the name of a baseline.
        status: Whether it was examined, or why not.
        key: Changes whenever the result may.
        sentence: Why it was refused, or what a baseline is.
        kind: One word for the reason of a refusal.
        title: What its author calls it.
        items: "1" or "0" for each question.
        replies: What the adapter wrote.
        suspicion: What is wrong with its training rows; empty if nothing was found.
        n_rows: Training rows.
        steps: Optimizer steps, as declared.
        report: The report in Markdown.
        sha256: Of the zip.
    """

    student: str
    status: Status
    key: str
    sentence: str = ""
    kind: str = ""
    title: str = ""
    items: str = ""
    replies: list[str] = field(default_factory=list)
    suspicion: str = ""
    n_rows: int = 0
    steps: int = 0
    report: str = ""
    sha256: str = ""

    @property
    def verdicts(self) -> list[bool]:
        """Whether each answer was right."""
        return [item == "1" for item in self.items]


def find_zips(folder: Path) -> dict[str, Path]:
    """The zips of a class by student, in the folder or in a folder for each student.

    Args:
        folder: What was handed in.

    Raises:
        CourseError: There is no folder, or no zip in it.
    """
    if not folder.is_dir():
        raise CourseError(f"There is no folder {folder}; name the folder with the class's zips.")
    zips = sorted(x for x in folder.rglob("*") if x.suffix.lower() == ".zip" and _is_work(x))
    if not zips:
        raise CourseError(f"{folder} holds no zip; students make them with `ift submit`.")
    names: dict[str, Path] = {}
    for path in zips:
        parts = path.relative_to(folder).with_suffix("").parts
        alone = sum(x.relative_to(folder).parts[0] == parts[0] for x in zips) == 1
        name = clean(parts[0] if alone else "/".join(parts))
        while name in names:  # two names that differ in what cannot be printed
            name += "'"
        names[name] = path
    return names


def _is_work(path: Path) -> bool:
    """Whether a student may have made this file; a link is looked at, and refused later."""
    return not path.name.startswith("._") and (path.is_symlink() or path.is_file())


def mark_class(
    zips: dict[str, Path],
    out: Path,
    exam: Exam,
    *,
    jobs: int = 2,
    baselines: Sequence[Baseline] = BASELINES,
    baseline_steps: int = MOST_STEPS,
    on_done: Callable[[Entry], None] | None = None,
) -> list[Entry]:
    """Examine what has no result yet, and return the results of all.

    Args:
        zips: By student.
        out: The folder for results, which exists.
        exam: The hidden exam.
        jobs: Submissions that are examined at a time.
        baselines: The controls.
        baseline_steps: Of their training.
        on_done: Is called with each new result, from any thread.
    """
    require_sandbox()
    # What the grader has failed at is tried again.
    known = {k: x for k, x in read_results(out).items() if x.status != "needs review"}
    ledger = _Ledger(out / RESULTS, on_done)
    controls = []
    for baseline in baselines:
        key = _key(f"{baseline.name} {baseline_steps}", exam)
        entry = known.get((baseline.name, key)) or ledger.add(
            _mark_baseline(baseline, baseline_steps, exam, key)
        )
        controls.append(entry)
    entries, waiting = {}, {}
    for student, path in zips.items():
        digest = _digest(path)
        key = _key(digest, exam)
        if (student, key) in known:
            entries[student] = known[student, key]
        else:
            waiting[student] = (path, digest, key)
    for entry in _mark_all(waiting, exam, jobs, ledger):
        entries[entry.student] = entry
    return [*controls, *(entries[student] for student in zips)]


def read_results(out: Path) -> dict[tuple[str, str], Entry]:
    """The results so far by (student, key); a line that a crash cut off is left out.

    Args:
        out: The folder for results.
    """
    entries = {}
    path = out / RESULTS
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            entry = Entry(**json.loads(line))
        except (ValueError, TypeError):
            continue
        entries[entry.student, entry.key] = entry
    return entries


class _Ledger:
    """Appends results to the file, from several threads."""

    def __init__(self, path: Path, on_done: Callable[[Entry], None] | None):
        self._path, self._on_done, self._lock = path, on_done, threading.Lock()

    def add(self, entry: Entry) -> Entry:
        """Write down a result, and return it."""
        with self._lock:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
            if self._on_done:
                self._on_done(entry)
        return entry


def _mark_all(
    waiting: dict[str, tuple[Path, str, str]], exam: Exam, jobs: int, ledger: _Ledger
) -> Iterator[Entry]:
    """Examine submissions, each thread with a sandbox of its own."""
    local = threading.local()
    with ExitStack() as stack, ThreadPoolExecutor(max_workers=jobs) as pool:

        def sandbox() -> Sandbox:
            if not hasattr(local, "sandbox"):
                local.sandbox = stack.enter_context(new_sandbox())
            return local.sandbox

        def mark(student: str) -> Entry:
            path, digest, key = waiting[student]
            entry = Entry(student, "needs review", key, sha256=digest)
            try:
                return ledger.add(mark_one(path, exam, sandbox, entry))
            except Exception as error:  # a fault of the grader costs nobody anything
                sentence = f"The grader failed ({type(error).__name__}: {clean(str(error))[:200]})."
                return ledger.add(_changed(entry, sentence=sentence, kind="grader"))

        yield from pool.map(mark, waiting)


def mark_one(path: Path, exam: Exam, sandbox: Callable[[], Sandbox], entry: Entry) -> Entry:
    """Open and examine one submission.

    Args:
        path: The zip.
        exam: The hidden exam.
        sandbox: Gives the sandbox of this thread, which starts only when a zip was accepted.
        entry: With the student, the key and the hash.
    """
    try:
        submission = open_submission(path, course_base())
        result = examine_in_sandbox(sandbox(), submission, exam)
    except Refusal as refusal:
        return _changed(entry, status="refused", sentence=str(refusal), kind=refusal.kind)
    return _changed(
        entry,
        status="examined",
        title=submission.title,
        suspicion=look_at_rows(submission.records, exam).sentence,
        n_rows=len(submission.records),
        steps=submission.settings.steps,
        report=submission.report,
        **_scored(result),
    )


def _mark_baseline(baseline: Baseline, steps: int, exam: Exam, key: str) -> Entry:
    from ift_course.capstone.answering import answers_of

    adapter, settings = baseline_adapter(baseline, steps)
    result = ExamResult(exam, answers_of(adapter, settings, exam.questions))
    return Entry(baseline.name, "baseline", key, baseline.about, steps=steps, **_scored(result))


def _scored(result: ExamResult) -> dict[str, Any]:
    return {
        "items": "".join("1" if right else "0" for right in result.correct),
        "replies": [reply.text for reply in result.replies],
    }


def _changed(entry: Entry, **changes: Any) -> Entry:
    return Entry(**(asdict(entry) | changes))


def _digest(path: Path) -> str:
    """The SHA-256 of a zip; something else that changes with it if it will not be opened."""
    try:
        size = path.lstat().st_size
        return sha256(path) if not path.is_symlink() and size <= LARGEST_ZIP else f"{size} bytes"
    except OSError:
        return "unreadable"


def _key(content: str, exam: Exam) -> str:
    parts = (content, exam.digest, course_base(), ift_course.__version__)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
