"""How alike the submissions of a class are, by copydetect: to be looked at, never a verdict."""

import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.exercises import source
from ift_course.grading import submissions
from ift_course.grading.layouts import Reading
from ift_course.grading.reports.pages import page

ALIKE = 0.33  # pairs below this share are not shown


@dataclass(frozen=True)
class Pair:
    """Two students, what share of each one's code is in the other's, and the code of both."""

    students: tuple[str, str]
    shares: tuple[float, float]
    codes: tuple[str, str]


def compare(
    root: Path,
    lesson: str,
    functions: list[str],
    out: Path,
    reading: Reading | None = None,
) -> Path:
    """Writes `out/similarity.html`. What the exercise hands out does not count as alike.

    Args:
        root: The folder or archive of submissions.
        lesson: The lesson's number.
        functions: What the learner writes in it.
        out: The folder of the gradebook.
        reading: What the instructor says about the layout of the submissions.

    Raises:
        CourseError: copydetect is not installed.
    """
    codes = {}
    for submission in submissions.collect(root, lesson, functions, reading, skip=out).submissions:
        try:
            cells = submissions.cells(submission)
        except submissions.Unreadable:
            continue
        codes[submission.student] = "\n\n".join(code for _, code in cells)
    found = pairs(codes, given(lesson))
    atomic_write_text(
        out / "similarity.html", page("similarity.html.j2", lesson=lesson, pairs=found)
    )
    return out / "similarity.html"


def given(lesson: str) -> str:
    """The code that the exercise hands out, or an empty text."""
    here = [path for path in source.sources() if path.name[:2] == lesson]
    cells = [x.source for path in here for x in source.cells(path) if x.cell_type == "code"]
    return "\n\n".join(map(source.stubbed, cells))


def pairs(codes: dict[str, str], boilerplate: str) -> list[Pair]:
    """The pairs of students whose codes are alike, the most alike first."""
    try:
        from copydetect import CopyDetector
    except ImportError:
        raise CourseError("Similarity needs copydetect: pip install copydetect.") from None
    with tempfile.TemporaryDirectory() as name:
        names = {_written(Path(name, f"{i}"), code): who for i, (who, code) in
                 enumerate(codes.items())}  # fmt: skip
        detector = CopyDetector(display_t=ALIKE, silent=True, disable_filtering=False)
        for path in names:
            detector.add_file(path)
        detector.add_file(_written(Path(name, "given"), boilerplate), type="boilerplate")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of files that are too short to compare
            detector.run()
        rows = detector.get_copied_code_list()
    found = [
        Pair((names[a], names[b]), (share_a, share_b), (codes[names[a]], codes[names[b]]))
        for share_a, share_b, a, b, *_ in rows
    ]
    return sorted(found, key=lambda x: (-max(x.shares), x.students))


def _written(folder: Path, code: str) -> str:
    folder.mkdir()
    (folder / "code.py").write_text(code, encoding="utf-8", errors="replace")
    return str(folder / "code.py")
