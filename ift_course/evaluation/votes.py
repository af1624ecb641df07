"""Blind votes: a person prefers one of two answers without knowing which model wrote which."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, Literal, get_args

from ift_course.disk import atomic_write_text, disk_errors
from ift_course.errors import CourseError
from ift_course.evaluation.answers import evaluations_folder
from ift_course.evaluation.comparison import AnswerPair, Comparison
from ift_course.evaluation.intervals import Interval
from ift_course.evaluation.paired import PairedCounts

Choice = Literal["first", "second", "tie", "skip"]
Winner = Literal["a", "b", "tie", "skip"]


@dataclass(frozen=True)
class Ballot:
    """One question with two answers in a random order.

    Attributes:
        key: Stands for the question and both answers.
        prompt: The question.
        first: The answer that is shown first.
        second: The other one.
        b_is_first: Whether model B wrote the first one, which the voter must not learn.
    """

    key: str
    prompt: str
    first: str
    second: str
    b_is_first: bool

    def winner(self, choice: Choice) -> Winner:
        """Return which model a choice prefers."""
        if choice in ("tie", "skip"):
            return choice
        return "b" if (choice == "first") == self.b_is_first else "a"


class Poll:
    """The ballots of a comparison and the votes so far, which a file keeps.

    Equal answers are no ballot: there is nothing to choose.
    """

    def __init__(self, comparison: Comparison, *, seed: int = 0, folder: Path | None = None):
        """Shuffle the questions and the sides, and read the votes that are there.

        Args:
            comparison: Two models' answers.
            seed: Decides the order of the questions and the sides of the answers.
            folder: Where votes are kept; None means the folder of the results.

        Raises:
            CourseError: The file of the votes is damaged.
        """
        self.comparison = comparison
        differing = [pair for pair in comparison.pairs if pair[0].answer != pair[1].answer]
        self.n_equal = len(comparison.pairs) - len(differing)
        rng = Random(seed)
        self.ballots = [_ballot(pair, rng.random() < 0.5) for pair in differing]
        rng.shuffle(self.ballots)
        self.path = (folder or evaluations_folder() / "votes") / f"{self._name(seed)}.json"
        self._votes: dict[str, Choice] = self._read()

    def _name(self, seed: int) -> str:
        content = json.dumps([seed, [(b.key, b.b_is_first) for b in self.ballots]])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def _read(self) -> dict[str, Choice]:
        if not self.path.exists():
            return {}
        try:
            votes: dict[str, Choice] = json.loads(self.path.read_text("utf-8"))["votes"]
            if not set(votes.values()) <= set(get_args(Choice)):
                raise ValueError("unknown choice")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise CourseError(
                f"{self.path} is damaged; repair it, or delete it to vote anew."
            ) from None
        return votes

    @property
    def open(self) -> list[Ballot]:
        """The ballots without a vote, in their order."""
        return [ballot for ballot in self.ballots if ballot.key not in self._votes]

    @property
    def n_voted(self) -> int:
        """The number of ballots with a vote; skipping is one."""
        return len(self.ballots) - len(self.open)

    def vote(self, ballot: Ballot, choice: Choice) -> None:
        """Store a vote.

        Raises:
            CourseError: The file cannot be written.
        """
        self._votes[ballot.key] = choice
        content = {"a": self.comparison.a, "b": self.comparison.b, "votes": self._votes}
        with disk_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write_text(self.path, json.dumps(content, indent=1) + "\n")

    @property
    def result(self) -> PollResult:
        """The votes so far, counted by model."""
        votes = self._votes
        voted: list[tuple[Ballot, Choice]] = [
            (ballot, votes[ballot.key]) for ballot in self.ballots if ballot.key in votes
        ]
        winners: Counter[Winner] = Counter(ballot.winner(choice) for ballot, choice in voted)
        sides: Counter[Choice] = Counter(choice for _, choice in voted)
        return PollResult(winners, sides, self.n_equal)


@dataclass(frozen=True)
class PollResult:
    """Counted votes.

    Attributes:
        winners: The votes by model, ties and skipped ballots.
        sides: The votes by the place of the answer on the ballot.
        n_equal: Questions that both models answered with the same words, which no one voted on.
    """

    winners: Counter[Winner]
    sides: Counter[Choice]
    n_equal: int

    @property
    def n(self) -> int:
        """The votes that count: for one of the models, or a tie."""
        return self.winners["a"] + self.winners["b"] + self.winners["tie"]

    @cached_property
    def counts(self) -> PairedCounts:
        """The votes as paired counts, in which a tie favors neither."""
        return PairedCounts(self.n, self.winners["a"], self.winners["b"])

    @property
    def win_rate(self) -> float:
        """The share of votes for B, in which a tie counts half."""
        return (1 + self.counts.difference) / 2

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the win rate."""
        low, high = self.counts.interval
        return (1 + low) / 2, (1 + high) / 2

    def sentence(self, a: str = "A", b: str = "B") -> str:
        """Say how often B was preferred, and whether that could be chance.

        Args:
            a: The name of the first model.
            b: The name of the second one.
        """
        if not self.n:
            return "There are no votes yet."
        low, high = self.interval
        rate = f"{b} wins {100 * self.win_rate:.0f} % ({100 * low:.0f} to {100 * high:.0f})"
        votes = "1 vote" if self.n == 1 else f"{self.n:,} votes"
        if low > 0.5 or high < 0.5:
            return f"{rate} of {votes}: {b if low > 0.5 else a} is preferred."
        needed = f"; about {self.counts.needed:,} would tell" if self.counts.difference else ""
        return f"{rate} of {votes}, which may be chance{needed}."

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data."""
        low, high = self.interval if self.n else (None, None)
        return {
            "wins_a": self.winners["a"],
            "wins_b": self.winners["b"],
            "ties": self.winners["tie"],
            "skipped": self.winners["skip"],
            "equal_answers": self.n_equal,
            "win_rate_b": self.win_rate if self.n else None,
            "low": low,
            "high": high,
            "first_chosen": self.sides["first"],
            "second_chosen": self.sides["second"],
        }


def _ballot(pair: AnswerPair, b_is_first: bool) -> Ballot:
    a, b = pair
    content = json.dumps([a.key, a.row, a.answer, b.answer])
    key = hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()[:16]
    first, second = (b, a) if b_is_first else (a, b)
    return Ballot(key, a.prompt, first.answer, second.answer, b_is_first)
