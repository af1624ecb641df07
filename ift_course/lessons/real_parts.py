"""The real parts of the lessons, and the panel that a notebook shows: `real_panel("01")`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from ift_course.errors import CourseError
from ift_course.lessons.discover import select
from ift_course.panels.compute import model_name
from ift_course.panels.identity import differences
from ift_course.panels.real_part import RealPart
from ift_course.panels.store import stored_panel
from ift_course.panels.view import PanelView
from ift_course.plots.cards import Card
from ift_course.profile import REAL, get_profile


def has_real_part(lesson: str) -> bool:
    """Whether a lesson measures something on the real model.

    Args:
        lesson: The lesson's number, such as "01".
    """
    name = f"ift_course.lessons.lesson_{lesson}"
    return find_spec(name) is not None and find_spec(f"{name}.real") is not None


def real_part(lesson: str) -> RealPart:
    """Return the real part of a lesson.

    Args:
        lesson: The lesson's number, such as "01".

    Raises:
        CourseError: The lesson has none.
    """
    if not has_real_part(lesson):
        known = ", ".join(x.number for x in select([]) if has_real_part(x.number))
        raise CourseError(
            f"Lesson {lesson} measures nothing on the profile {REAL}; the lessons that do are "
            f"{known}."
        )
    return import_module(f"ift_course.lessons.lesson_{lesson}.real").real_part()


def real_parts(names: Sequence[str]) -> list[RealPart]:
    """Return the real parts of these lessons; without names, all that there are.

    Raises:
        CourseError: There is no such lesson, or it has no real part.
    """
    numbers = [lesson.number for lesson in select(names)]
    return [real_part(number) for number in numbers if names or has_real_part(number)]


def command(lesson: str) -> str:
    """The command that computes a lesson's panel."""
    return f"ift run {lesson} --profile {REAL}"


def real_panel(lesson: str) -> PanelView | Card:
    """Show what a lesson measured on the real model, as it is stored.

    A panel that was computed on this machine comes before the published one. Nothing is computed,
    and the real model need not be installed.

    Args:
        lesson: The lesson's number, such as "01".

    Returns:
        A view for the notebook; a card that says what to run if nothing is stored.

    Raises:
        CourseError: The lesson has no real part, or the stored file is damaged.
    """
    part, profile = real_part(lesson), get_profile(REAL)
    panel = stored_panel(REAL, lesson)
    if panel is None:
        return Card(
            kind="note",
            verdict="not computed yet",
            title=f"nothing is stored for lesson {lesson} on {model_name(profile)}; install that "
            f"model with make real, and run: {command(lesson)}",
        )
    return PanelView(panel, command(lesson), differences(panel, part, profile))
