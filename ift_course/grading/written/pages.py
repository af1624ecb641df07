"""The pages for markers: all answers to one question beside its rubric."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ift_course.disk import atomic_write_text
from ift_course.grading.names import clean
from ift_course.grading.reports.pages import page
from ift_course.grading.written.entries import WRITTEN

if TYPE_CHECKING:
    from pathlib import Path

    from markupsafe import Markup

    from ift_course.exercises.written import WrittenQuestion
    from ift_course.grading.written.sheet import AnswerSheet


def write(sheet: AnswerSheet, out: Path) -> list[Path]:
    """Writes a self-contained page without a script for each question; returns their paths."""
    paths = []
    for question in sheet.questions:
        path = out / WRITTEN / f"{question.id}.html"
        atomic_write_text(path, marking_page(sheet, question))
        paths.append(path)
    return paths


def marking_page(sheet: AnswerSheet, question: WrittenQuestion) -> str:
    """The page of one question. A student's text is shown as it was typed, never rendered."""
    return page(
        "marking.html.j2",
        question=question,
        named=sheet.named,
        ask=_markdown(question.ask),
        model_answer=_markdown(question.answer),
        answers=[(code, clean(sheet.label(code)), x) for code, x in sheet.of(question.id).items()],
        blank=sum(x.question == question.id for x in sheet.blank),
    )


def _markdown(text: str) -> Markup:
    """Our own Markdown as HTML; never a student's."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    return Markup(MarkdownIt("commonmark", {"html": False}).render(text))
