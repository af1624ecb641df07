"""A lesson's quiz, made of `<details>` alone.

It works wherever HTML is shown: in a live notebook, on GitHub, in a static page, with JavaScript
switched off. Opening an option is choosing it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from ift_course.lessons import glossary, quizzes
from ift_course.lessons.quizzes import Question

GLOSSARY = "../docs/glossary.md"  # as a notebook sees it
LETTERS = "abcdefgh"
ASKED = 'style="margin-top: 1.2em"'  # else JupyterLab puts it close to what is above


@dataclass(frozen=True)
class Quiz:
    """The questions of a lesson, as HTML and as plain text."""

    questions: Sequence[Question]

    def html(self) -> str:
        """Nested `<details>`: each option opens to its feedback, the right one to the answer."""
        parts = ["<p>Think first. Then open the option that you would choose.</p>"]
        for number, question in enumerate(self.questions, start=1):
            parts.append(f"<p {ASKED}><b>{number}. {_markdown(question.ask)}</b></p>")
            parts += [
                _option(letter, question, *option)
                for letter, option in zip(LETTERS, question.options, strict=False)
            ]
        return "".join(parts)

    def __str__(self) -> str:
        asked, answers = [], ["Answers"]
        for number, question in enumerate(self.questions, start=1):
            asked.append(f"{number}. {question.ask}")
            for letter, (text, right, feedback) in zip(LETTERS, question.options, strict=False):
                asked.append(f"   {letter}) {text}")
                answers.append(f"{number}{letter} {'✓' if right else '✗'} {feedback}")
        return "\n".join([*asked, "", *answers])

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": str(self)}


def quiz(lesson: str) -> Quiz:
    """The quiz of a lesson, as "01".

    Raises CourseError if there is none, or its file breaks the format.
    """
    return Quiz(quizzes.read(lesson))


def _option(letter: str, question: Question, text: str, right: bool, feedback: str) -> str:
    verdict = "✓ Right." if right else "✗ No."
    words = _terms(question) if right else ""
    return (
        f"<details><summary>{letter}) {_markdown(text)}</summary>"
        f"<blockquote><b>{verdict}</b> {_markdown(feedback)}{words}</blockquote></details>"
    )


def _terms(question: Question) -> str:
    """The question's terms, each with its definition as a tooltip and a link to the glossary."""
    if not question.terms:
        return ""
    links = [
        f'<a href="{GLOSSARY}#{term.anchor}" title="{escape(term.means)}">{escape(term.name)}</a>'
        for term in map(glossary.term, question.terms)
    ]
    return f"<br><small>In the glossary: {', '.join(links)}</small>"


def _markdown(text: str) -> str:
    """A line of Markdown as HTML; HTML in it is escaped."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).renderInline(text)
