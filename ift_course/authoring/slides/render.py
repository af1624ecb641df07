"""A deck as one HTML file that loads nothing: its style, script and pictures are inside."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from ift_course.disk import atomic_write_text

if TYPE_CHECKING:
    from pathlib import Path

    from jinja2 import Environment

    from ift_course.authoring.slides.deck import Deck

MATH = re.compile(r"\$([^$\n]+(?:\n[^$\n]+)?)\$")
LOCAL_LINK = re.compile(r'<a href="(?!https?:)[^"]*"[^>]*>(.*?)</a>', re.DOTALL)


def write(deck: Deck, folder: Path) -> Path:
    """Writes a deck as `folder/NN_topic.html`; returns the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{deck.lesson.name}.html"
    atomic_write_text(path, html(deck))
    return path


def html(deck: Deck) -> str:
    """The page of a deck."""
    return _environment().get_template("deck.html.j2").render(deck=deck)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ift_course", "authoring/slides"), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(markdown=markdown, inline=inline, code=highlighted)
    return environment


def markdown(text: str) -> Markup:
    """Markdown as HTML, with formulas, and without links into the repository."""
    return _rendered(text, block=True)


def inline(text: str) -> Markup:
    """The same for a text within a line."""
    return _rendered(text, block=False)


def _rendered(text: str, block: bool) -> Markup:
    from markdown_it import MarkdownIt

    formulas: list[Markup] = []

    def keep(match: re.Match[str]) -> str:
        formulas.append(formula(match[1]))
        return f"FORMULA{len(formulas) - 1}END"

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    text = MATH.sub(keep, text)
    result = parser.render(text) if block else parser.renderInline(text)
    result = LOCAL_LINK.sub(r"\1", result)
    for number, math in enumerate(formulas):
        result = result.replace(f"FORMULA{number}END", str(math))
    return Markup(result)


def formula(tex: str) -> Markup:
    """A formula as MathML if latex2mathml is installed (extra "site"), else as it is written."""
    try:
        from latex2mathml.converter import convert
    except ImportError:
        return Markup("<code>{}</code>").format(tex)
    return Markup(convert(tex))


def highlighted(code: str) -> Markup:
    """Python with its words in color; plain if it cannot be read."""
    try:
        from pygments import highlight
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import PythonLexer
    except ImportError:
        return escape(code)
    return Markup(highlight(code, PythonLexer(), HtmlFormatter(nowrap=True)))
