"""Blind votes in a notebook: two answers without names, and buttons to prefer one of them."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.evaluation.comparison import compare
from ift_course.evaluation.eval_result import read_result
from ift_course.evaluation.votes import Choice, Poll
from ift_course.terminal import printable

if TYPE_CHECKING:
    from ift_course.evaluation.eval_result import EvalResult

BUTTONS: dict[str, Choice] = {
    "a is better": "first", "b is better": "second", "tie": "tie", "skip": "skip",
}  # fmt: skip
ANSWER = "flex:1; border:1px solid #8888; border-radius:6px; padding:.5em; white-space:pre-wrap"


def vote(a: str | Path | EvalResult, b: str | Path | EvalResult, *, seed: int = 0) -> BlindVotes:
    """Vote on the answers of two models: what `ift compare --blind` does in the terminal.

    The votes are stored with those of the terminal, so that both continue each other.

    Args:
        a: A result of `ift eval --out`, or the file that holds it.
        b: The other one, for the same questions.
        seed: Decides the order of the questions and the sides of the answers.

    Raises:
        CourseError: A file is not such a result, or the two have no question in common.
    """
    first, second = (read_result(x) if isinstance(x, str | Path) else x for x in (a, b))
    return BlindVotes(Poll(compare(first, second), seed=seed))


class BlindVotes:
    """The ballot, the buttons, and in the end the win rate; all of it in `box`.

    Attributes:
        poll: The ballots and the votes so far.
    """

    def __init__(self, poll: Poll) -> None:
        import ipywidgets as widgets

        self.poll = poll
        self.ballot = widgets.HTML()
        self.buttons = [widgets.Button(description=text) for text in BUTTONS]
        for button in self.buttons:
            button.on_click(lambda pressed: self.choose(BUTTONS[str(pressed.description)]))
        self.finish = widgets.Button(description="show the result")
        self.finish.on_click(lambda _: self.show_result())
        self.box = widgets.VBox([self.ballot, widgets.HBox([*self.buttons, self.finish])])
        self._show()

    def choose(self, choice: Choice) -> None:
        """Store a vote on the ballot that is shown, and show the next one."""
        if self.poll.open:
            self.poll.vote(self.poll.open[0], choice)
        self._show()

    def show_result(self) -> None:
        """Show the win rate with the names of the models, which ends the blindness."""
        comparison = self.poll.comparison
        sentence = self.poll.result.sentence(comparison.a, comparison.b)
        self.ballot.value = f"<p><b>{_plain(sentence)}</b></p>"

    def _show(self) -> None:
        if not self.poll.open:
            for button in self.buttons:
                button.disabled = True
            self.show_result()
            return
        ballot = self.poll.open[0]
        answers = "".join(
            f'<div style="{ANSWER}"><b>{name}</b>\n{_plain(text)}</div>'
            for name, text in (("a", ballot.first), ("b", ballot.second))
        )
        self.ballot.value = (
            f"<p>{self.poll.n_voted + 1} of {len(self.poll.ballots)}</p>"
            f'<p style="white-space:pre-wrap"><b>{_plain(ballot.prompt)}</b></p>'
            f'<div style="display:flex; gap:1em">{answers}</div>'
        )

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.box)


def _plain(text: str) -> str:
    return html.escape(printable(text.strip()))
