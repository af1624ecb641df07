"""What the cells of an exercise notebook call: `check`, `hint`, `passed` and `progress`.

Where a grader or `ift check` runs the cells (`IFT_CHECKING` is set), all of these are silent.
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
from ift_course.exercises import progress as kept
from ift_course.exercises.learner import LearnerError, learner_error, overwritten
from ift_course.exercises.report import report
from ift_course.exercises.report_card import ReportCard, _sign
from ift_course.plots.cards import Card, show

LIMIT = 10.0  # seconds for a call of the learner's function; right ones take milliseconds
_passed: dict[str, Callable] = {}  # in this kernel: the functions that passed, by name


def check(function: Callable) -> None:
    """Run the checks of the exercise whose function this is, and show a card.

    The exercise is found by the function's name. Takes well under a second; a function that does
    not come to its end is stopped after `LIMIT` seconds.
    """
    if _silent():
        return
    name = getattr(function, "__name__", type(function).__name__)
    if lost := _overwritten(function, sys._getframe(1).f_globals):
        return show(Card("note", "Nothing to check", overwritten(lost, function)))
    try:
        exercise = catalog.by_function(name)
    except CourseError as error:
        return show(Card("note", "Nothing to check", str(error)))
    try:
        result = report(exercise, {exercise.function: function}, limit=LIMIT)
    except KeyboardInterrupt as error:
        return _interrupted(exercise, learner_error(error, function))
    if result.passed:
        _passed[name] = function
    else:
        _passed.pop(name, None)
    kept.note(result)
    show(ReportCard(result, titled(exercise)))


def _overwritten(value: Any, names: dict[str, Any]) -> str | None:
    """The exercise's function whose name holds this value, which is not a function any more."""
    if callable(value):
        return None
    functions = (exercise.function for exercise in catalog.exercises())
    return next((x for x in functions if x in names and names[x] is value), None)


class Interrupted(KeyboardInterrupt):
    """The learner stopped the checks. Jupyter shows a line for it, and runs no further cell."""

    def _render_traceback_(self) -> list[str]:
        return ["Interrupted."]


def _interrupted(exercise: catalog.Exercise, error: LearnerError) -> None:
    from IPython import get_ipython

    line = [f"It was in line {error.number}: {error.line}"] if error.line else []
    title = f"{titled(exercise)} was not checked to the end, and nothing was counted."
    show(Card("note", "Interrupted", title, line))
    if get_ipython() is not None:
        raise Interrupted from None


def passed(function: Callable) -> bool:
    """Whether this very function has passed its checks in this kernel; says so when it has not."""
    if _silent():
        return False
    done = _passed.get(function.__name__) is function
    if not done:
        print(f"When {function.__name__} passes its checks, this cell shows it at work.")
    return done


def hint(exercise: str, level: int | None = None, *, solution: bool = False) -> None:
    """Shows the next hint of an exercise, as "02.3", or the one of a level (1, 2 or 3).

    solution: show a solution instead.
    """
    if _silent():
        return
    try:
        title, text = hint_text(exercise, level, solution=solution)
    except CourseError as error:
        return show(Card("note", "No hint", str(error)))
    show(HintCard(title, text, code=solution))


def hint_text(
    exercise: str, level: int | None = None, *, solution: bool = False, shell: bool = False
) -> tuple[str, str]:
    """A heading and the hint, or the code of a solution. Without a level: the next one.

    shell: say how to go on in a shell, not in a notebook.

    Raises:
        CourseError: no such exercise or level.
    """
    there = source.find(exercise)
    if solution:
        return f"{there.id} {there.title}: one solution of many", there.solution
    before = kept.read().get(exercise, kept.Reached()).hints
    level = min(before + 1, len(there.hints)) if level is None else level
    if not 1 <= level <= len(there.hints):
        raise CourseError(f"The hints of {exercise} have the levels 1 to {len(there.hints)}.")
    kept.note_hint(exercise, max(level, before))
    go_on, show = f'ift.hint("{exercise}")', f'ift.hint("{exercise}", solution=True)'
    if shell:
        go_on, show = f"ift hint {exercise}", f"ift hint {exercise} --solution"
    last = level == len(there.hints)
    more = (
        f"This was the last; `{show}` shows a solution." if last else f"`{go_on}` shows the next."
    )
    heading = f"{there.id} {there.title}: hint {level} of {len(there.hints)}"
    return heading, f"{there.hints[level - 1]}\n\n{more}"


@dataclass(frozen=True)
class HintCard:
    """A hint or a solution, in markdown and plain text."""

    title: str
    text: str
    code: bool

    def __str__(self) -> str:
        return f"• {self.title}\n\n{self.text}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        body = f"```python\n{self.text}\n```" if self.code else self.text
        return {"text/markdown": f"**{self.title}**\n\n{body}", "text/plain": str(self)}


def progress(lesson: str | None = None) -> Overview | None:
    """Where you stand in the exercises of one lesson ("02"), or of all."""
    if _silent():
        return None
    reached = kept.read()
    exercises = catalog.exercises(lesson)
    return Overview([(x, titled(x), reached.get(x.id, kept.Reached())) for x in exercises])


@dataclass(frozen=True)
class Overview:
    """Exercises with their titles and what was reached, as a table."""

    rows: Sequence[tuple[catalog.Exercise, str, kept.Reached]]

    def cells(self) -> list[tuple[str, str, str]]:
        """(sign, title, points) of each exercise."""
        return [
            ("✓" if r.passed else "○", title, f"{r.earned} of {r.points}" if r.points else "–")
            for _, title, r in self.rows
        ]

    def __str__(self) -> str:
        wide = max((len(title) for _, title, _ in self.cells()), default=0)
        return "\n".join(f"{sign} {title:{wide}}  {got}" for sign, title, got in self.cells())

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        left = 'style="text-align: left"'
        rows = "".join(
            f"<tr><td>{_sign(sign)}</td><td {left}>{escape(title)}</td><td {left}>{got}</td></tr>"
            for sign, title, got in self.cells()
        )
        head = f"<tr><th></th><th {left}>exercise</th><th {left}>points</th></tr>"
        return {"text/html": f"<table>{head}{rows}</table>", "text/plain": str(self)}


def titled(exercise: catalog.Exercise) -> str:
    """As "02.3 Response labels"; the function's name where the sources are not installed."""
    return f"{exercise.id} {source.title(exercise.id) or exercise.function}"


def _silent() -> bool:
    return settings.is_checking()
