"""How far two markers agree beyond chance, and where they differ too much."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ift_course.evaluation.weighted_kappa import weighted_kappa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ift_course.grading.written.marks import MarksFile
    from ift_course.grading.written.sheet import AnswerSheet

RESAMPLES = 2000
MOST_APART = 1.0  # points; more than this needs a third look


@dataclass(frozen=True)
class Agreement:
    """Two markers on one question.

    Attributes:
        question: The id.
        what: The id of a criterion, or "all" for the sum of the points.
        markers: The two names.
        answers: How many both have marked.
        kappa: Cohen's κ with quadratic weights; None if one number of points was given throughout.
        interval: 95 %, from resampled answers; None without κ, or with fewer than 5 answers.
        same: The share of answers with equal points.
        apart: The mean of the first one's points minus the second one's.
    """

    question: str
    what: str
    markers: tuple[str, str]
    answers: int
    kappa: float | None
    interval: tuple[float, float] | None
    same: float
    apart: float


def agreements(files: Sequence[MarksFile], sheet: AnswerSheet) -> list[Agreement]:
    """The agreement of every two markers, by question and criterion."""
    result = []
    for first, second in combinations([x for x in files if not x.third_look], 2):
        for question in sheet.questions:
            keys = [[(code, x.id) for x in question.rubric] for code in sheet.of(question.id)]
            both = [row for row in keys if row[0] in first.marks and row[0] in second.marks]
            if not both:
                continue
            shape = np.array([[[x.marks[k].points for k in row] for row in both]
                              for x in (first, second)])  # fmt: skip
            columns = [("all", shape.sum(axis=2))]
            columns += [(x.id, shape[:, :, n]) for n, x in enumerate(question.rubric)]
            names = first.marker, second.marker
            result += [_agreement(question.id, what, names, *x) for what, x in columns]
    return result


def _agreement(
    question: str, what: str, markers: tuple[str, str], first: np.ndarray, second: np.ndarray
) -> Agreement:
    try:
        kappa = weighted_kappa(first, second)
    except ValueError:
        kappa = None
    interval = _interval(first, second) if kappa is not None and len(first) >= 5 else None
    return Agreement(question, what, markers, len(first), kappa, interval,
                     float((first == second).mean()), float((first - second).mean()))  # fmt: skip


def _interval(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """The percentile bootstrap over answers; resamples without κ are left out."""
    draws = np.random.default_rng(0).integers(len(first), size=(RESAMPLES, len(first)))
    kappas = []
    for draw in draws:
        try:
            kappas.append(weighted_kappa(first[draw], second[draw]))
        except ValueError:
            continue
    low, high = np.quantile(kappas, (0.025, 0.975))
    return float(low), float(high)


def too_far_apart(files: Sequence[MarksFile], sheet: AnswerSheet) -> dict[tuple[str, str], str]:
    """What two markers see too differently: by answer and criterion, what each gave.

    An answer is listed if the points for a criterion, or for all of it, differ by more than one.
    Of such an answer, the criteria with different points are.
    """
    markers = [x for x in files if not x.third_look]
    result = {}
    for question in sheet.questions:
        for code in sheet.of(question.id):
            keys = [(code, x.id) for x in question.rubric]
            rows = [x for x in markers if keys[0] in x.marks]
            sums = [sum(x.marks[key].points for key in keys) for x in rows]
            spans = {key: _span([x.marks[key].points for x in rows]) for key in keys}
            if max(_span(sums), *spans.values()) > MOST_APART:
                for key in (key for key in keys if spans[key]):
                    given = [f"{x.marker} {x.marks[key].points:g}" for x in rows]
                    result[key] = ", ".join(given)
    return result


def _span(points: Sequence[float]) -> float:
    return max(points) - min(points) if points else 0.0
