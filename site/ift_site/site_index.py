"""The front page, and the table of contents of the whole site."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ift_course.lessons.lesson_00.overview import LessonRow
from ift_course.lessons.timings import minutes

TEMPLATE = Path(__file__).with_name("site_index.md.j2")


@dataclass(frozen=True)
class Card:
    """A lesson on the front page.

    Attributes:
        number: Such as "01".
        title: Its title.
        page: Path of its page, without an ending.
        about: The first sentences of the lesson.
        cost: Time, memory and number of exercises.
        picture: Path of a picture among the sources; empty if it has none.
    """

    number: str
    title: str
    page: str
    about: str
    cost: str
    picture: str


def card(row: LessonRow, prose: str, figures: Mapping[str, bytes]) -> Card:
    """The card of a lesson.

    Args:
        row: The lesson and its cost.
        prose: Its Markdown.
        figures: Its pictures by path.
    """
    cost = [minutes(row.seconds)] if row.seconds is not None else []
    cost += [f"{row.peak_mb / 1000:.1f} GB"] if row.peak_mb is not None else []
    cost += [f"{row.exercises} exercise{'s' * (row.exercises > 1)}"] if row.exercises else []
    return Card(
        number=row.lesson.number,
        title=row.lesson.title,
        page=f"notebooks/{row.lesson.name}",
        about=_first_sentences(prose),
        cost=" · ".join(cost),
        # The largest file is the picture with the most details.
        picture=max(figures, key=lambda name: len(figures[name]), default=""),
    )


def page(
    cards: Sequence[Card],
    titles: Mapping[str, Mapping[str, str]],
    *,
    about: str,
    poster: Sequence[str],
    repository: str,
) -> str:
    """The front page, in MyST.

    Args:
        cards: Of the lessons.
        titles: Titles of all other pages, by caption and path.
        about: The course in a sentence.
        poster: Paths of large pictures among the sources.
        repository: Address of the repository.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    values = {"about": about, "poster": poster, "repository": repository}
    return template.render(cards=cards, titles=titles, **values) + "\n"


def _first_sentences(prose: str) -> str:
    """The first two sentences below the title."""
    paragraphs = [x for x in prose.split("\n\n")[1:] if not x.startswith(("[", "#", "<", "|"))]
    text = " ".join(paragraphs[0].split()) if paragraphs else ""
    return " ".join(re.split(r"(?<=[.?!]) ", text)[:2])
