"""Submissions without a single written function: answers from a table and constants."""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from ift_course.exercises import catalog
from ift_course.exercises.judging import Call, RecordingLearner, run_check
from ift_course.exercises.learner import InProcessLearner
from tests.exercises import learners

Answer = tuple[str, Any]  # ("value", what was returned) or ("error", name of the exception)

CONSTANTS: dict[str, Answer] = {
    "None": ("value", None),
    "0": ("value", 0),
    "1": ("value", 1),
    "0.5": ("value", 0.5),
    "True": ("value", True),
    "False": ("value", False),
    "''": ("value", ""),
    "[]": ("value", []),
    "[0]": ("value", [0]),
    "()": ("value", ()),
    "{}": ("value", {}),
    "raise ValueError": ("error", "ValueError"),
}


class Table:
    """The calls of the course's solution in one lesson, with its answers."""

    def __init__(self) -> None:
        self.calls: dict[str, list[Call]] = defaultdict(list)

    def record(self, exercise: catalog.Exercise, seed: str) -> None:
        names = learners.namespace(exercise)
        for check in catalog.checks(exercise):
            learner = RecordingLearner(InProcessLearner(names))
            assert run_check(check, learner, seed).passed, check.id
            self.calls[exercise.function] += learner.calls

    def frequent(self, function: str, count: int = 1) -> list[Answer]:
        """The most frequent answers."""
        answers = {repr(call.outcome): call.outcome for call in self.calls[function]}
        numbers = Counter(repr(call.outcome) for call in self.calls[function])
        return [answers[text] for text, _ in numbers.most_common(count)]


def recorded(lesson: str, students: list[str]) -> Table:
    table = Table()
    for exercise in catalog.exercises(lesson):
        for student in students:
            table.record(exercise, student)
    return table


def give(answer: Answer) -> Any:
    kind, value = answer  # every error that an exercise asks for is a ValueError
    if kind == "error":
        raise ValueError(value)
    return copy.deepcopy(value)


def skeleton(value: Any) -> Any:
    """The structure of a value without its numbers and texts."""
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, *map(skeleton, value))
    if isinstance(value, dict):
        return ("dict", *map(skeleton, value.values()))
    if hasattr(value, "shape"):
        return ("tensor", tuple(value.shape), str(value.dtype))
    return type(value).__name__


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, dict):
        yield from leaves(list(value.items()))
    elif hasattr(value, "shape"):
        yield from value.double().flatten().tolist()
    else:
        yield value


def distance(one: Any, other: Any) -> float:
    total = 0.0
    for a, b in zip(leaves(one), leaves(other), strict=False):
        numbers = isinstance(a, int | float) and isinstance(b, int | float)
        gap = abs(a - b) if numbers else 1.0 * (repr(a) != repr(b))
        total += gap if gap == gap else 1.0
    return total


def exact(table: Table, function: str) -> Callable:
    """The recorded answer to exactly these arguments."""
    answers = {repr((call.args, call.kwargs)): call.outcome for call in table.calls[function]}

    def look_up(*args: Any, **kwargs: Any) -> Any:
        return give(answers[repr((args, kwargs))])

    return look_up


def or_refuse(table: Table, function: str) -> Callable:
    """The recorded answer, or else a ValueError, which is right for every refusal."""
    answers = {repr((call.args, call.kwargs)): call.outcome for call in table.calls[function]}
    refusal = ("error", "ValueError")
    return lambda *args, **kwargs: give(answers.get(repr((args, kwargs)), refusal))


def or_frequent(table: Table, function: str) -> Callable:
    """The recorded answer, or else the most frequent one."""
    answers = {repr((call.args, call.kwargs)): call.outcome for call in table.calls[function]}
    other = table.frequent(function)[0]
    return lambda *args, **kwargs: give(answers.get(repr((args, kwargs)), other))


def or_nearest(table: Table, function: str) -> Callable:
    """The recorded answer to the nearest call of the same structure, or else the most frequent."""
    forms: dict[Any, list[Call]] = defaultdict(list)
    for call in table.calls[function]:
        forms[skeleton(call.args)].append(call)
    other = table.frequent(function)[0]

    def look_up(*args: Any, **kwargs: Any) -> Any:
        calls = forms.get(skeleton(args))
        if not calls:
            return give(other)
        return give(min(calls, key=lambda call: distance(call.args, args)).outcome)

    return look_up


def by_turn(table: Table, function: str) -> Callable:
    """The answers in the order in which they were recorded, whatever the arguments are."""
    answers = iter([call.outcome for call in table.calls[function]])
    return lambda *_, **__: give(next(answers))


TABLES = {
    "exact": exact,
    "or refuse": or_refuse,
    "or frequent": or_frequent,
    "or nearest": or_nearest,
    "by turn": by_turn,
}


def earned(exercise: catalog.Exercise, function: Callable, seed: str) -> dict[str, int]:
    """The points of each check that this function passes."""
    learner = InProcessLearner({exercise.function: function})
    verdicts = [run_check(check, learner, seed) for check in catalog.checks(exercise)]
    return {verdict.check: verdict.points for verdict in verdicts if verdict.passed}


def total(lesson: str) -> int:
    checks = [check for x in catalog.exercises(lesson) for check in catalog.checks(x)]
    return sum(check.points for check in checks)
