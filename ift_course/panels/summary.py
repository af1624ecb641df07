"""The numbers of a panel: shares with their intervals, and differences of two arms."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from ift_course.claims.results import item_scores
from ift_course.evaluation.intervals import Interval, two_level_interval
from ift_course.evaluation.paired import PairedCounts, number_of_points, points, share_interval
from ift_course.panels.panel import Contrast, Panel

Verdict = Literal["it is", "it is not", "this does not decide it"]


@dataclass(frozen=True)
class Estimate:
    """A share, or a difference of two, with its 95 % interval.

    Attributes:
        value: Between -1 and 1.
        interval: From low to high.
    """

    value: float
    interval: Interval

    def __str__(self) -> str:
        low, high = map(number_of_points, self.interval)
        return f"{number_of_points(self.value)} % ({low} to {high})"


def share(panel: Panel, arm: str, metric: str) -> Estimate | None:
    """The share of the items that an arm scores on, over its seeds; None if it was not scored.

    The interval is Wilson's for one seed, and covers seeds and items for several.
    """
    scores = score_matrix(panel, arm, metric)
    if not scores:
        return None
    value = fmean(map(fmean, scores))
    if len(scores) == 1:
        return Estimate(value, share_interval(int(sum(scores[0])), len(scores[0])))
    return Estimate(value, two_level_interval(scores))


def difference(panel: Panel, contrast: Contrast) -> Estimate | None:
    """The share of the second arm minus that of the first, paired by item; None without scores.

    An arm in which nothing is random has one run, which is compared with each seed of the other.
    """
    first = score_matrix(panel, contrast.first, contrast.metric)
    second = score_matrix(panel, contrast.second, contrast.metric)
    if not first or not second:
        return None
    value = fmean(map(fmean, second)) - fmean(map(fmean, first))
    if len(first) == len(second) == 1:
        return Estimate(value, _paired(first[0], second[0]).interval)
    n_seeds = max(len(first), len(second))
    first, second = (x * n_seeds if len(x) == 1 else x for x in (first, second))
    return Estimate(value, two_level_interval(second, first))


def sentence(panel: Panel, contrast: Contrast) -> str | None:
    """Say which of two arms is better, by how much, and whether that may be chance."""
    estimate = difference(panel, contrast)
    if estimate is None:
        return None
    heading = panel.metrics[contrast.metric]
    low, high = estimate.interval
    if low <= 0 <= high:
        sign = "+" if estimate.value > 0 else ""
        return (
            f"{contrast.second} and {contrast.first} cannot be told apart in “{heading}”: "
            f"{sign}{points(estimate.value)} ({number_of_points(low)} to "
            f"{number_of_points(high)})."
        )
    better, worse = contrast.second, contrast.first
    if high < 0:
        better, worse = worse, better
    near, far = sorted((abs(low), abs(high)))
    return (
        f"{better} is better than {worse} in “{heading}” by {points(abs(estimate.value))} "
        f"({number_of_points(near)} to {number_of_points(far)})."
    )


def prediction_verdict(panel: Panel, contrast: Contrast) -> Verdict | None:
    """Whether a predicted difference came out so; None if nothing was predicted or measured.

    A prediction came out if the whole interval is above its bound, and failed if the whole interval
    is below. Otherwise the measurement does not decide it.
    """
    estimate = difference(panel, contrast)
    if contrast.at_least is None or estimate is None:
        return None
    low, high = estimate.interval
    if low >= contrast.at_least:
        return "it is"
    return "it is not" if high < contrast.at_least else "this does not decide it"


def prediction(panel: Panel, contrast: Contrast) -> str:
    """Say what was predicted of a difference, and whether it is so; empty if nothing was."""
    verdict = prediction_verdict(panel, contrast)
    if contrast.at_least is None or verdict is None:
        return ""
    bound = points(abs(contrast.at_least))
    expected = f"better by at least {bound}" if contrast.at_least > 0 else "no worse"
    if contrast.at_least < 0:
        expected = f"worse by at most {bound}"
    return f"Predicted: {contrast.second} is {expected}; {verdict}."


def score_matrix(panel: Panel, arm: str, metric: str) -> list[list[float]]:
    """The item scores of each seed of an arm; empty if it was not scored."""
    runs = panel.arms.get(arm, [])
    return [item_scores(run.scores[metric]) for run in runs if metric in run.scores]


def _paired(first: list[float], second: list[float]) -> PairedCounts:
    pairs = list(zip(first, second, strict=True))
    return PairedCounts(len(pairs), sum(a > b for a, b in pairs), sum(b > a for a, b in pairs))
