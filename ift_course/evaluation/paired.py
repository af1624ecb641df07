"""Two models on the same questions: the difference of their shares, and what may be said of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log10, sqrt
from typing import Any

from ift_course.evaluation.intervals import Interval

LEVEL = 0.95
POWER = 0.8  # with which the recommended number of items finds a difference
SMALLEST = 0.05  # difference that is looked for when two models did not differ at all


def share_interval(n_right: int, n: int) -> Interval:
    """Return the 95 % interval of a share by Wilson's score method (1927).

    Args:
        n_right: Items with a right answer.
        n: All items; at least one.
    """
    from scipy.stats import binomtest

    interval = binomtest(n_right, n).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


@dataclass(frozen=True)
class PairedCounts:
    """How often which of two models was right about the same questions.

    Attributes:
        n: All questions.
        only_a: Those that A alone answered right.
        only_b: Those that B alone answered right.
    """

    n: int
    only_a: int
    only_b: int

    @property
    def difference(self) -> float:
        """The share of B minus the share of A, between -1 and 1."""
        return (self.only_b - self.only_a) / self.n

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the difference.

        It reaches as far as the wider of two: Tango's score interval (1998), which knows how many
        questions there are, and the exact interval of the share of B among the questions that one
        model alone answered right (Clopper and Pearson 1934). The second makes it agree with
        McNemar's exact test: it excludes zero if and only if that test gives p < 0.05.
        """
        low, high = _tango(self.n, self.only_a, self.only_b)
        decided = self.only_a + self.only_b
        if decided:
            exact_low, exact_high = _clopper_pearson(self.only_b, decided)
            low = min(low, (2 * exact_low - 1) * decided / self.n)
            high = max(high, (2 * exact_high - 1) * decided / self.n)
        return low, high

    @property
    def p_value(self) -> float:
        """The p-value of McNemar's exact test: how often chance alone gives such a difference."""
        from scipy.stats import binomtest

        decided = self.only_a + self.only_b
        return float(binomtest(self.only_b, decided).pvalue) if decided else 1.0

    @property
    def needed(self) -> int:
        """About how many questions would show the difference, in two significant digits.

        The number of Connor (1987) for McNemar's test at 5 % with a power of 80 %, if the models
        go on to differ as they did. Without any difference it is the number that would show one of
        five points.
        """
        from scipy.stats import norm

        disagreement = (self.only_a + self.only_b) / self.n
        effect = abs(self.difference) or SMALLEST
        disagreement = max(disagreement, effect)
        z_level, z_power = float(norm.ppf(1 - (1 - LEVEL) / 2)), float(norm.ppf(POWER))
        root = z_level * sqrt(disagreement) + z_power * sqrt(disagreement - effect**2)
        return max(round_up(root**2 / effect**2), self.n + 1 if self.difference else 1)

    def verdict(self, a: str = "A", b: str = "B") -> str:
        """Say which model is better and by how much, or how many questions would tell.

        Args:
            a: The name of the first model.
            b: The name of the second one.
        """
        low, high = self.interval
        if low > 0 or high < 0:
            better = b if low > 0 else a
            bounds = sorted((abs(low), abs(high)))
            return f"{better} is better by {points(abs(self.difference))} {_span(*bounds)}"
        sentence = f"{a} and {b} cannot be told apart with {_items(self.n)}"
        if self.difference:
            return f"{sentence}; about {self.needed:,} would do"
        if self.needed > self.n:
            return f"{sentence}; about {self.needed:,} would show a difference of 5 points"
        return f"{sentence}; they differ by at most {points(max(-low, high))}"


def round_up(number: float) -> int:
    """Return a number rounded up to two significant digits."""
    unit = 10 ** max(int(log10(number)) - 1, 0) if number >= 1 else 1
    return ceil(number / unit) * unit


def points(share: float) -> str:
    """Return a share as percentage points: "12 points", "0.4 points", "1 point"."""
    text = number_of_points(share)
    return f"{text} point" if text in ("1", "-1", "−1") else f"{text} points"


def number_of_points(share: float) -> str:
    """Return a share as a number of percentage points, with a decimal where it is below one."""
    value = 100 * share
    text = f"{value:.0f}" if abs(value) >= 0.95 or abs(value) < 1e-9 else f"{value:.1g}"
    return text.replace("-", "−")


def _span(low: float, high: float) -> str:
    return f"({number_of_points(low)} to {number_of_points(high)})"


def _items(n: int) -> str:
    return "1 item" if n == 1 else f"{n:,} items"


def _clopper_pearson(successes: int, n: int) -> Interval:
    from scipy.stats import binomtest

    interval = binomtest(successes, n).proportion_ci(LEVEL, method="exact")
    return float(interval.low), float(interval.high)


def _tango(n: int, only_a: int, only_b: int) -> Interval:
    """Return Tango's score interval: the differences that the score test does not refuse.

    Tango 1998, *Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design*, Statistics in Medicine 17.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    z = float(norm.ppf(1 - (1 - LEVEL) / 2))
    estimate = (only_b - only_a) / n

    def score(difference: float) -> float:
        # The share of questions that A alone answers, most likely under this difference.
        linear = -only_b - only_a + (2 * n - only_b + only_a) * difference
        constant = -only_a * difference * (1 - difference)
        likely = (sqrt(max(linear**2 - 8 * n * constant, 0.0)) - linear) / (4 * n)
        variance = n * (2 * likely + difference * (1 - difference))
        if variance <= 0:
            return 0.0 if difference == estimate else float("inf") * (estimate - difference)
        return (only_b - only_a - n * difference) / sqrt(variance)

    def bound(end: float, sign: float) -> float:
        if abs(score(end)) <= z or estimate == end:
            return end
        low, high = sorted((estimate, end))
        root: Any = brentq(lambda d: score(d) - sign * z, low, high)
        return float(root)

    return bound(-1.0, 1.0), bound(1.0, -1.0)
