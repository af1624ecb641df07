"""How alike the submissions of a class are, by copydetect: a hint to look, never a verdict."""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.exercises import source
from ift_course.grading.reports.pages import page
from ift_course.grading.submissions.collect import collect
from ift_course.grading.submissions.submission import Unreadable, cells

if TYPE_CHECKING:
    from ift_course.grading.submissions.layouts import LayoutHints

ALIKE = 0.33  # pairs below this share are not shown


@dataclass(frozen=True)
class SimilarPair:
    """Two students whose code is alike.

    Attributes:
        students: Their keys.
        shares: What share of each one's code is in the other's, from 0 to 1.
        codes: The code of each.
    """

    students: tuple[str, str]
    shares: tuple[float, float]
    codes: tuple[str, str]


def compare(
    root: Path,
    lesson: str,
    functions: list[str],
    out: Path,
    hints: LayoutHints | None = None,
) -> Path:
    """Writes `out/similarity.html`. The code that the exercise hands out does not count as alike.

    Args:
        root: The folder or archive of submissions.
        lesson: The lesson's number.
        functions: The functions that the learner writes in it.
        out: The folder of the gradebook.
        hints: What the instructor says about the layout of the submissions.

    Returns:
        The path of the file.

    Raises:
        CourseError: copydetect is not installed.
    """
    codes = {}
    for submission in collect(root, lesson, functions, hints, skip=out).submissions:
        try:
            sources = [source for _, source in cells(submission)]
        except Unreadable:
            continue
        codes[submission.student] = "\n\n".join(sources)
    pairs = similar_pairs(codes, handed_out_code(lesson))
    atomic_write_text(
        out / "similarity.html", page("similarity.html.j2", lesson=lesson, pairs=pairs)
    )
    return out / "similarity.html"


def handed_out_code(lesson: str) -> str:
    """The code that the exercise hands out, or an empty text."""
    paths = [path for path in source.sources() if path.name[:2] == lesson]
    codes = [x.source for path in paths for x in source.cells(path) if x.cell_type == "code"]
    return "\n\n".join(map(source.stubbed, codes))


def similar_pairs(codes: dict[str, str], boilerplate: str) -> list[SimilarPair]:
    """The pairs of students whose codes are alike, the most alike first.

    Args:
        codes: By student.
        boilerplate: Code that everybody was given.

    Raises:
        CourseError: copydetect is not installed.
    """
    try:
        from copydetect import CopyDetector  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise CourseError("Similarity needs copydetect: pip install copydetect.") from None
    with tempfile.TemporaryDirectory() as name:
        students = {
            _written(Path(name, f"{index}"), code): student
            for index, (student, code) in enumerate(codes.items())
        }
        detector = CopyDetector(display_t=ALIKE, silent=True, disable_filtering=False)
        for path in students:
            detector.add_file(path)
        detector.add_file(_written(Path(name, "handed-out"), boilerplate), type="boilerplate")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of files that are too short to compare
            detector.run()
        rows = detector.get_copied_code_list()
    pairs = [
        _pair(students[path_a], students[path_b], share_a, share_b, codes)
        for share_a, share_b, path_a, path_b, *_ in rows
    ]
    return sorted(pairs, key=lambda x: (-max(x.shares), x.students))


def _pair(a: str, b: str, share_a: float, share_b: float, codes: dict[str, str]) -> SimilarPair:
    return SimilarPair((a, b), (share_a, share_b), (codes[a], codes[b]))


def _written(folder: Path, code: str) -> str:
    folder.mkdir()
    (folder / "code.py").write_text(code, encoding="utf-8", errors="replace")
    return str(folder / "code.py")
