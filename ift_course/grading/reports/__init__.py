"""The reports of a class, made from the gradebook alone."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from ift_course.disk import atomic_write_text
from ift_course.grading.reports import feeds, pages, tables

if TYPE_CHECKING:
    from pathlib import Path

    from ift_course.grading.gradebook import Gradebook, StudentGrade


def write(book: Gradebook, folder: Path) -> list[Path]:
    """Writes all reports, in place of earlier ones.

    Nothing depends on when or how often this is done.

    Args:
        book: The class.
        folder: Of the gradebook.

    Returns:
        The paths of the files.
    """
    texts = {
        "gradebook.csv": tables.gradebook(book),
        "files.csv": tables.files(book),
        "canvas.csv": tables.canvas(book),
        "moodle.csv": tables.moodle(book),
        "junit.xml": feeds.junit(book),
        "overview.html": pages.overview(book, filename),
    }
    for grade in book.grades:
        name = filename(grade)
        texts[f"feedback/{name}.html"] = pages.feedback(book, grade)
        texts[f"feedback/{name}.md"] = pages.feedback_markdown(book, grade)
        texts[f"gradescope/{name}.json"] = feeds.gradescope(grade)
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            atomic_write_text(path, text)
    return [folder / name for name in texts]


def filename(grade: StudentGrade) -> str:
    """A name for a student's files that is safe everywhere and nobody else's."""
    plain = re.sub(r"[^A-Za-z0-9.-]+", "-", grade.student).strip("-.")[:60]
    if plain == grade.student:
        return plain
    return f"{plain}-{hashlib.sha256(grade.student.encode()).hexdigest()[:8]}"
