"""The front page, and the table of contents of the whole site."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ift_course.lessons.lesson_00.overview import LessonCost
from ift_course.lessons.timings import minutes

TEMPLATE = Path(__file__).with_name("front.md.j2")


@dataclass(frozen=True)
class Card:
    """A lesson on the front page. picture: a file among the sources, empty if it has none."""

    number: str
    title: str
    page: str
    about: str
    cost: str
    picture: str


def card(row: LessonCost, prose: str, figures: Mapping[str, bytes]) -> Card:
    """The card of a lesson. prose: its Markdown. figures: its pictures by path."""
    cost = [minutes(row.seconds)] if row.seconds is not None else []
    cost += [f"{row.peak_mb / 1000:.1f} GB"] if row.peak_mb is not None else []
    cost += [f"{row.exercises} exercise{'s' * (row.exercises > 1)}"] if row.exercises else []
    return Card(
        number=row.lesson.number,
        title=row.lesson.title,
        page=f"notebooks/{row.lesson.name}",
        about=_beginning(prose),
        cost=" · ".join(cost),
        # The picture with the most in it.
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

    titles: of all other pages, by caption and path. poster: large pictures, files of the sources.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    words = {"about": about, "poster": poster, "repository": repository}
    return template.render(cards=cards, titles=titles, **words) + "\n"


def _beginning(prose: str) -> str:
    """The first sentences below the title, two at most."""
    paragraphs = [x for x in prose.split("\n\n")[1:] if not x.startswith(("[", "#", "<", "|"))]
    words = " ".join(paragraphs[0].split()) if paragraphs else ""
    return " ".join(re.split(r"(?<=[.?!]) ", words)[:2])
