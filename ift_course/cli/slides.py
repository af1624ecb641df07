"""`ift slides`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

OUT = Path("slides")


def slides(
    lessons: Annotated[
        list[str] | None, typer.Argument(metavar="LESSON", help="Lessons, as 3 or 03.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All lessons.")] = False,
    out: Annotated[Path, typer.Option(help="The folder for the decks.")] = OUT,
) -> None:
    """Write slides for teaching: one HTML file for each lesson, made from its notebook.

    A deck has the lesson's objectives, its predictions with what came out, every figure, the
    claims with intervals and verdicts, the quiz with answers on the next slide, the code that
    matters, and the exercises. Nothing is written by hand, so a lesson that is built again gives
    new slides.

    Open the file in a browser; it needs no network. Arrow keys, space, Home and End move, the key d
    switches between light and dark, and printing gives one page a slide.

    [bold]Examples[/bold]

        ift slides 03

        ift slides --all --out decks
    """
    from rich.console import Console
    from rich.progress import track

    from ift_course.authoring.slides import render
    from ift_course.authoring.slides.deck import make_deck
    from ift_course.errors import CourseError
    from ift_course.lessons.discover import select
    from ift_course.paths import checkout

    if checkout() is None:  # a wheel has neither the notebooks with outputs nor the claims
        raise CourseError("Slides are made in a clone of the course, and this is not one.")
    if bool(lessons) == every:
        raise CourseError("Name the lessons, as in ift slides 03, or write --all for every one.")
    selected = select(lessons or [])
    errors = Console(stderr=True)
    for lesson in track(selected, "Writing slides", console=errors, transient=True):
        deck = make_deck(lesson)
        path = render.write(deck, out)
        print(f"{path}: {len(deck.slides)} slides, {path.stat().st_size / 1e3:.0f} kB")
