"""The functions that the cells of an exercise notebook call: check, hint, passed, progress.

All of them are silent where a grader or `ift check` runs the cells (`IFT_CHECKING` is set).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ift_course import settings
from ift_course.errors import CourseError
from ift_course.exercises import catalog, source
from ift_course.exercises import progress as records
from ift_course.exercises.learner import LearnerError, learner_error, overwritten
from ift_course.exercises.report import report
from ift_course.exercises.report_card import ReportCard, sign_html
from ift_course.plots.cards import Card, show

LIMIT = 10.0  # seconds for a call of the learner's function; right ones take milliseconds
_passed: dict[str, Callable[..., Any]] = {}  # in this kernel: the functions that passed, by name


def check(function: Callable[..., Any]) -> None:
    """Run the checks of the exercise that this function solves, and show a card.

    The checks take well under a second. A function that does not finish is stopped after `LIMIT`
    seconds.

    Args:
        function: Handle as in the exercise; its name decides which exercise is checked.
    """
    if _is_silent():
        return
    name = getattr(function, "__name__", type(function).__name__)
    if overwritten_name := _overwritten_name(function, sys._getframe(1).f_globals):
        return show(Card("note", "Nothing to check", overwritten(overwritten_name, function)))
    try:
        exercise = catalog.by_function(name)
    except CourseError as error:
        return show(Card("note", "Nothing to check", str(error)))
    try:
        result = report(exercise, {exercise.function: function}, limit=LIMIT)
    except KeyboardInterrupt as error:
        return _show_interruption(exercise, learner_error(error, function))
    if result.passed:
        _passed[name] = function
    else:
        _passed.pop(name, None)
    records.record_report(result)
    card: Any = ReportCard(result, full_title(exercise))  # anything that IPython can display
    show(card)


def _overwritten_name(value: Any, names: dict[str, Any]) -> str | None:
    """The name of the exercise's function that holds this value, which is no longer a function."""
    if callable(value):
        return None
    functions = (exercise.function for exercise in catalog.exercises())
    return next((x for x in functions if x in names and names[x] is value), None)


class Interrupted(KeyboardInterrupt):
    """The learner stopped the checks. Jupyter shows a line for it, and runs no further cell."""

    def _render_traceback_(self) -> list[str]:
        return ["Interrupted."]


def _show_interruption(exercise: catalog.Exercise, error: LearnerError) -> None:
    from IPython import get_ipython

    line = [f"It was on line {error.number}: {error.line}"] if error.line else []
    title = f"{full_title(exercise)} was not fully checked, and nothing was recorded."
    show(Card("note", "Interrupted", title, line))
    if get_ipython() is not None:
        raise Interrupted from None


def passed(function: Callable[..., Any]) -> bool:
    """Whether this very function has passed its checks in this kernel; print a note if not."""
    if _is_silent():
        return False
    name = getattr(function, "__name__", "")
    done = _passed.get(name) is function
    if not done:
        print(f"When {name} passes its checks, this cell shows it at work.")
    return done


def hint(exercise: str, level: int | None = None, *, solution: bool = False) -> None:
    """Show a hint for an exercise.

    Args:
        exercise: For example "02.3".
        level: 1, 2, or 3; the next one if omitted.
        solution: Show a solution instead.
    """
    if _is_silent():
        return
    try:
        title, text = hint_text(exercise, level, solution=solution)
    except CourseError as error:
        return show(Card("note", "No hint", str(error)))
    card: Any = HintCard(title, text, code=solution)  # anything that IPython can display
    show(card)


def hint_text(
    exercise: str, level: int | None = None, *, solution: bool = False, shell: bool = False
) -> tuple[str, str]:
    """Look up a hint or a solution, and remember that the hint was read.

    Args:
        exercise: For example "02.3".
        level: 1, 2, or 3; the next one if omitted.
        solution: Return a solution instead.
        shell: Name the next command for a shell, not for a notebook.

    Returns:
        A heading, and the hint or the code of a solution.

    Raises:
        CourseError: There is no such exercise or level.
    """
    written = source.find(exercise)
    count = len(written.hints)
    if solution:
        return f"{written.id} {written.title}: one possible solution", written.solution
    before = records.read().get(exercise, records.ExerciseProgress()).hints
    level = min(before + 1, count) if level is None else level
    if not 1 <= level <= count:
        raise CourseError(f"The hints of {exercise} have levels 1 to {count}.")
    records.record_hint(exercise, max(level, before))
    next_hint, show = f'ift.hint("{exercise}")', f'ift.hint("{exercise}", solution=True)'
    if shell:
        next_hint, show = f"ift hint {exercise}", f"ift hint {exercise} --solution"
    if level == count:
        more = f"This was the last hint; `{show}` shows a solution."
    else:
        more = f"`{next_hint}` shows the next hint."
    return (
        f"{written.id} {written.title}: hint {level} of {count}",
        f"{written.hints[level - 1]}\n\n{more}",
    )


@dataclass(frozen=True)
class HintCard:
    """A hint or a solution, in Markdown and plain text."""

    title: str
    text: str
    code: bool

    def __str__(self) -> str:
        return f"• {self.title}\n\n{self.text}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        body = f"```python\n{self.text}\n```" if self.code else self.text
        return {"text/markdown": f"**{self.title}**\n\n{body}", "text/plain": str(self)}


def progress(lesson: str | None = None) -> Overview | None:
    """Show your progress in the exercises of one lesson ("02") or of all."""
    return None if _is_silent() else overview(lesson)


def overview(lesson: str | None = None) -> Overview:
    """The learner's progress in the exercises of one lesson ("02") or of all."""
    saved = records.read()
    return Overview(
        [
            (exercise, full_title(exercise), saved.get(exercise.id, records.ExerciseProgress()))
            for exercise in catalog.exercises(lesson)
        ]
    )


@dataclass(frozen=True)
class Overview:
    """A table of exercises with their titles and the learner's progress."""

    rows: Sequence[tuple[catalog.Exercise, str, records.ExerciseProgress]]

    def cells(self) -> list[tuple[str, str, str]]:
        """(sign, title, points) of each exercise."""
        return [
            ("✓" if r.passed else "○", title, f"{r.earned} of {r.points}" if r.points else "–")
            for _, title, r in self.rows
        ]

    def __str__(self) -> str:
        width = max((len(title) for _, title, _ in self.cells()), default=0)
        return "\n".join(f"{sign} {title:{width}}  {got}" for sign, title, got in self.cells())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        left = 'style="text-align: left"'
        rows = "".join(
            f"<tr><td>{sign_html(sign)}</td><td {left}>{escape(title)}</td>"
            f"<td {left}>{got}</td></tr>"
            for sign, title, got in self.cells()
        )
        head = f"<tr><th></th><th {left}>exercise</th><th {left}>points</th></tr>"
        return {"text/html": f"<table>{head}{rows}</table>", "text/plain": str(self)}


def full_title(exercise: catalog.Exercise) -> str:
    """For example "02.3 Response labels"; the function's name if sources are not installed."""
    return f"{exercise.id} {source.title(exercise.id) or exercise.function}"


def _is_silent() -> bool:
    return settings.is_checking()
