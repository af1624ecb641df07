"""Voting on shuffled, nameless answers in the terminal: `ift compare --blind`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ift_course.terminal import printable

if TYPE_CHECKING:
    from rich.console import Console

    from ift_course.evaluation.comparison import Comparison
    from ift_course.evaluation.votes import Ballot, Choice, Poll

# On a ballot, "a" and "b" are only the places; the models are named when the voting ends.
KEYS: dict[str, Choice] = {
    "a": "first", "b": "second", "1": "first", "2": "second",
    "t": "tie", "tie": "tie", "s": "skip", "skip": "skip",
}  # fmt: skip
HELP = "a or b for the better answer, t for a tie, s to skip, q to stop"


def vote_in_terminal(comparison: Comparison, *, seed: int, as_json: bool) -> None:
    """Show one ballot after the other, store every vote, and report the win rate.

    Args:
        comparison: Two models' answers.
        seed: Of the order.
        as_json: Print the result as JSON; the ballots go to standard error.

    Raises:
        CourseError: All answers are equal, or votes cannot be stored.
    """
    from rich.console import Console

    from ift_course.errors import CourseError
    from ift_course.evaluation.votes import Poll

    poll = Poll(comparison, seed=seed)
    if not poll.ballots:
        raise CourseError("The models gave the same answer to every question; there is no choice.")
    console = Console(stderr=True, highlight=False)
    console.print(f"{HELP}. Every vote is stored.", markup=False)
    _vote(console, poll)
    _report(poll, as_json)


def _vote(console: Console, poll: Poll) -> None:
    for ballot in poll.open:
        _show(console, ballot, poll)
        choice = _read_choice(console)
        if choice is None:
            return
        poll.vote(ballot, choice)


def _show(console: Console, ballot: Ballot, poll: Poll) -> None:
    from rich.panel import Panel
    from rich.text import Text

    console.rule(f"{poll.n_voted + 1} of {len(poll.ballots)}")
    console.print(Text(printable(ballot.prompt.strip()), style="bold"))
    for title, text in (("a", ballot.first), ("b", ballot.second)):
        console.print(Panel(Text(printable(text.strip()) or "(nothing)"), title=title))


def _read_choice(console: Console) -> Choice | None:
    """Ask until a key is valid; None when the voter stops."""
    while True:
        console.print("better: ", end="")
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            console.print()
            return None
        key = line.strip().lower()
        if not line or key in ("q", "quit"):
            return None
        if key in KEYS:
            return KEYS[key]
        console.print(f"Type {HELP}.", markup=False)


def _report(poll: Poll, as_json: bool) -> None:
    import json

    from rich.console import Console

    from ift_course.cli.accounts import count

    comparison, result = poll.comparison, poll.result
    if as_json:
        names = {"a": comparison.a, "b": comparison.b, "open": len(poll.open)}
        print(json.dumps(names | result.to_dict(), ensure_ascii=False, indent=1))
        return
    console = Console(soft_wrap=True, highlight=False)
    console.print(result.sentence(comparison.a, comparison.b), style="bold", markup=False)
    winners = result.winners
    console.print(
        f"Votes: {comparison.a} {winners['a']}, {comparison.b} {winners['b']}, ties "
        f"{winners['tie']}, skipped {winners['skip']}. Equal answers, not shown: {result.n_equal}. "
        f"You chose the answer on top {result.sides['first']} times and the one below it "
        f"{result.sides['second']} times.",
        markup=False,
    )
    if poll.open:
        console.print(f"{count(len(poll.open), 'ballot')} left; the same command continues.")
    console.print(f"The votes are in {poll.path}", markup=False)
