"""How alike the submissions of a class are, by copydetect: to be looked at, never a verdict."""

import tempfile
from pathlib import Path

from ift_course.errors import CourseError
from ift_course.exercises import source
from ift_course.grading import submissions


def compare(root: Path, lesson: str, functions: list[str], out: Path) -> Path:
    """Writes `out/similarity.html`. What the exercise hands out does not count as alike.

    Raises:
        CourseError: copydetect is not installed.
    """
    try:
        from copydetect import CopyDetector
    except ImportError:
        raise CourseError("Similarity needs copydetect: pip install copydetect.") from None
    with tempfile.TemporaryDirectory() as name:
        work, given = Path(name, "submissions"), Path(name, "given")
        given.mkdir()
        for path in source.sources():
            if path.name[:2] == lesson:
                stubs = [
                    source.stubbed(x.source) for x in source.cells(path) if x.cell_type == "code"
                ]
                (given / "stubs.py").write_text("\n\n".join(stubs), encoding="utf-8")
        for number, submission in enumerate(submissions.find(root, lesson, functions)):
            folder = work / f"{number:04}-{''.join(filter(str.isalnum, submission.student))[:40]}"
            folder.mkdir(parents=True)
            try:
                codes = [code for _, code in submissions.cells(submission)]
            except submissions.Unreadable:
                continue
            (folder / "code.py").write_text("\n\n".join(codes), encoding="utf-8")
        path = out / "similarity.html"
        detector = CopyDetector(
            test_dirs=[str(work)], boilerplate_dirs=[str(given)], extensions=["py"],
            out_file=str(path), autoopen=False, silent=True, display_t=0.33,
        )  # fmt: skip
        detector.run()
        detector.generate_html_report()
    return path
