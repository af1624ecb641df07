"""The comparison of two evaluations: paired by question, overall and by category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain, zip_longest
from statistics import fmean
from typing import Any

import numpy as np

from ift_course.errors import CourseError
from ift_course.evaluation.eval_result import Answer, EvalResult, share_numbers
from ift_course.evaluation.eval_result import Share as Share
from ift_course.evaluation.intervals import Interval, items_interval
from ift_course.evaluation.paired import PairedCounts

N_CHANGES = 10
METHOD = (
    "95 % intervals. Shares: Wilson's score interval. Differences: paired by item, the wider of "
    "Tango's score interval and the exact interval behind McNemar's test. Lengths: paired "
    "bootstrap."
)

AnswerPair = tuple[Answer, Answer]


@dataclass(frozen=True)
class Comparison:
    """Two models' answers to the same questions.

    Attributes:
        a: The name of the first model.
        b: The name of the second one.
        data: The name of the data file.
        pairs: The answers of both to every question that both were asked.
        n_unpaired: Answers to questions that only one of them was asked.
    """

    a: str
    b: str
    data: str
    pairs: list[AnswerPair]
    n_unpaired: int = 0

    @property
    def judged(self) -> list[AnswerPair]:
        """The pairs of answers that a verifier has judged."""
        return [pair for pair in self.pairs if pair[0].right is not None]

    @property
    def counts(self) -> PairedCounts:
        """How often which model was right."""
        return count_pairs(self.judged)

    @property
    def categories(self) -> dict[str, PairedCounts]:
        """The counts of every category with judged pairs, by name."""
        groups: dict[str, list[AnswerPair]] = {}
        for pair in self.judged:
            if pair[0].category:
                groups.setdefault(pair[0].category, []).append(pair)
        return {name: count_pairs(groups[name]) for name in sorted(groups)}

    @property
    def verdict(self) -> str:
        """Which of A and B is better, in words."""
        return self.counts.verdict()

    @property
    def words(self) -> tuple[float, float]:
        """The mean number of words of A's and of B's answers."""
        a, b = zip(*self.pairs, strict=True)
        return fmean(x.n_words for x in a), fmean(x.n_words for x in b)

    @property
    def words_interval(self) -> Interval:
        """The 95 % interval of B's mean length minus A's, by paired bootstrap."""
        return items_interval(np.array([b.n_words - a.n_words for a, b in self.pairs], float))

    @property
    def stopped(self) -> tuple[float, float]:
        """The share of A's and of B's answers that ended by themselves."""
        a, b = zip(*self.pairs, strict=True)
        return fmean(x.finished for x in a), fmean(x.finished for x in b)

    @property
    def length_sentence(self) -> str:
        """What the lengths say, and that they are no quality."""
        mean_a, mean_b = self.words
        low, high = self.words_interval
        if low <= 0 <= high:
            return f"The answers are about as long: {mean_a:.0f} words by A, {mean_b:.0f} by B."
        longer = "longer" if mean_b > mean_a else "shorter"
        bounds = sorted((abs(low), abs(high)))
        return (
            f"B's answers are {abs(mean_b - mean_a):.0f} words {longer} "
            f"({bounds[0]:.0f} to {bounds[1]:.0f}): {mean_a:.0f} words by A, {mean_b:.0f} by B. "
            "A longer answer is not a better one."
        )

    def changes(self, n: int = N_CHANGES) -> list[AnswerPair]:
        """Return the largest changes.

        First come, in turn, questions that only B answered right and those that only A did; then
        questions whose answers differ most in their words. Of equals the one whose answers are
        less alike comes first.

        Args:
            n: How many, at most.
        """
        ordered = sorted((pair for pair in self.pairs if _differ(pair)), key=_likeness)
        gains = [pair for pair in ordered if _is_flip(pair) and pair[1].right]
        losses = [pair for pair in ordered if _is_flip(pair) and pair[0].right]
        flips = [pair for pair in chain(*zip_longest(gains, losses)) if pair is not None]
        return [*flips, *(pair for pair in ordered if not _is_flip(pair))][:n]

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain data."""
        low, high = self.words_interval
        scores = [share_numbers(Share.of([p[i] for p in self.pairs])) for i in (0, 1)]
        return {
            "a": self.a,
            "b": self.b,
            "data": self.data,
            "items": len(self.pairs),
            "unpaired": self.n_unpaired,
            "method": METHOD,
            "score_a": scores[0],
            "score_b": scores[1],
            **(count_numbers(self.counts) if self.judged else {}),
            "verdict": self.verdict if self.judged else None,
            "categories": {name: count_numbers(c) for name, c in self.categories.items()},
            "words": {"a": self.words[0], "b": self.words[1], "low": low, "high": high},
            "stopped": dict(zip("ab", self.stopped, strict=True)),
            "changes": [
                {"row": a.row, "prompt": a.prompt, "a": a.answer, "b": b.answer}
                | {"a_right": a.right, "b_right": b.right}
                for a, b in self.changes()
            ],
        }


def compare(a: EvalResult, b: EvalResult) -> Comparison:
    """Pair two results by their questions.

    Raises:
        CourseError: They have no question in common, or judged answers by other rules.
    """
    if (a.accept_cut, a.max_new_tokens) != (b.accept_cut, b.max_new_tokens):
        raise CourseError(
            f"{a.model} was evaluated with --max-new-tokens {a.max_new_tokens}"
            f"{' --accept-cut' * a.accept_cut}, and {b.model} with --max-new-tokens "
            f"{b.max_new_tokens}{' --accept-cut' * b.accept_cut}; evaluate both alike."
        )
    of_b = {(answer.key, answer.row): answer for answer in b.answers}
    pairs = [
        (answer, of_b[answer.key, answer.row])
        for answer in a.answers
        if (answer.key, answer.row) in of_b
    ]
    if not pairs:
        raise CourseError(
            f"The results of {a.model} ({a.data}) and {b.model} ({b.data}) have no question in "
            "common; evaluate both models on the same file."
        )
    n_unpaired = len(a.answers) + len(b.answers) - 2 * len(pairs)
    return Comparison(a.model, b.model, a.data, pairs, n_unpaired)


def count_pairs(pairs: Sequence[AnswerPair]) -> PairedCounts:
    """Count which of two models answered right, over judged pairs."""
    return PairedCounts(
        len(pairs),
        sum(bool(a.right) and not b.right for a, b in pairs),
        sum(bool(b.right) and not a.right for a, b in pairs),
    )


def count_numbers(counts: PairedCounts) -> dict[str, float]:
    """Paired counts as plain numbers, with the difference and its interval."""
    low, high = counts.interval
    return {
        "n": counts.n,
        "only_a": counts.only_a,
        "only_b": counts.only_b,
        "difference": counts.difference,
        "low": low,
        "high": high,
        "p_value": counts.p_value,
        "needed": counts.needed,
    }


def _is_flip(pair: AnswerPair) -> bool:
    return pair[0].right != pair[1].right


def _differ(pair: AnswerPair) -> bool:
    return pair[0].answer != pair[1].answer or _is_flip(pair)


def _likeness(pair: AnswerPair) -> float:
    a, b = (answer.answer.split() for answer in pair)
    return SequenceMatcher(None, a, b, autojunk=False).ratio()
