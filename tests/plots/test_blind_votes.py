"""The notebook's ballot: no names before the end, every vote stored."""

import pytest

from ift_course.evaluation.comparison import Comparison
from ift_course.evaluation.eval_result import Answer
from ift_course.evaluation.votes import Poll
from ift_course.plots.blind_votes import BlindVotes


def answer(text: str, row: int) -> Answer:
    return Answer(
        row=row, key=f"k{row}", category="", prompt="<b>Question?</b>", reference="", use="shown",
        answer=text, finished=True, right=None,
    )  # fmt: skip


@pytest.fixture
def votes(tmp_path):
    pairs = [(answer(f"<i>one {i}", i), answer(f"two {i}", i)) for i in range(2)]
    return BlindVotes(Poll(Comparison("models/old", "models/new", "test", pairs), folder=tmp_path))


def test_the_ballot_shows_both_answers_and_no_model(votes):
    shown = votes.ballot.value
    assert "&lt;i&gt;one" in shown and "two" in shown and "&lt;b&gt;Question?" in shown
    assert "models/" not in shown


def test_a_click_stores_the_vote_and_the_last_one_shows_the_result(votes):
    for _ in range(2):
        b_is_first = votes.poll.open[0].b_is_first
        votes.buttons[0 if b_is_first else 1].click()
    assert votes.poll.result.winners == {"b": 2}
    assert "models/new wins 100 %" in votes.ballot.value
    assert all(button.disabled for button in votes.buttons)
    assert votes.poll.path.exists()
