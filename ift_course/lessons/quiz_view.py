"""A lesson's quiz, made only of `<details>` elements.

It works wherever HTML is shown: in a live notebook, on GitHub, in a static page, and without
JavaScript. To choose an option, the learner opens it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ift_course.errors import CourseError
from ift_course.lessons import glossary, quizzes
from ift_course.lessons.quizzes import Question

GLOSSARY = "../docs/glossary.md"  # relative to a notebook
LETTERS = "abcdefgh"
QUESTION_STYLE = 'style="margin-top: 1.2em"'  # JupyterLab's own margin is too small


@dataclass(frozen=True)
class Quiz:
    """The questions of a lesson, as HTML and as plain text."""

    questions: Sequence[Question]

    def html(self) -> str:
        """The quiz in HTML: each option opens to its feedback, and the right one to the answer."""
        parts = ["<p>Think first. Then open the option that you would choose.</p>"]
        for number, question in enumerate(self.questions, start=1):
            parts.append(f"<p {QUESTION_STYLE}><b>{number}. {_markdown(question.ask)}</b></p>")
            parts += [
                _option(letter, question, *option)
                for letter, option in zip(LETTERS, question.options, strict=False)
            ]
        return "".join(parts)

    def __str__(self) -> str:
        lines, answers = [], ["Answers"]
        for number, question in enumerate(self.questions, start=1):
            lines.append(f"{number}. {question.ask}")
            for letter, (text, right, feedback) in zip(LETTERS, question.options, strict=False):
                lines.append(f"   {letter}) {text}")
                answers.append(f"{number}{letter} {'✓' if right else '✗'} {feedback}")
        return "\n".join([*lines, "", *answers])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": str(self)}


def quiz(lesson: str, *ids: str) -> Quiz:
    """Return the quiz of a lesson, or some of its questions.

    Args:
        lesson: The lesson's number, such as "01".
        ids: The questions to show, in this order; without them, all.

    Raises:
        CourseError: The lesson has no quiz, its file breaks the format, or there is no such
            question.
    """
    questions = {question.id: question for question in quizzes.read(lesson)}
    if unknown := [name for name in ids if name not in questions]:
        raise CourseError(
            f"The quiz of lesson {lesson} has no question {unknown[0]}; it has "
            f"{', '.join(questions)}."
        )
    return Quiz([questions[name] for name in ids or questions])


def _option(letter: str, question: Question, text: str, right: bool, feedback: str) -> str:
    verdict = "✓ Right." if right else "✗ No."
    links = _term_links(question) if right else ""
    return (
        f"<details><summary>{letter}) {_markdown(text)}</summary>"
        f"<blockquote><b>{verdict}</b> {_markdown(feedback)}{links}</blockquote></details>"
    )


def _term_links(question: Question) -> str:
    """Links to the question's terms in the glossary, with the definitions as tooltips."""
    if not question.terms:
        return ""
    links = [
        f'<a href="{GLOSSARY}#{term.anchor}" title="{escape(term.means)}">{escape(term.name)}</a>'
        for term in map(glossary.term, question.terms)
    ]
    return f"<br><small>In the glossary: {', '.join(links)}</small>"


def _markdown(text: str) -> str:
    """A line of Markdown as HTML, with any HTML in it escaped."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).renderInline(text)
