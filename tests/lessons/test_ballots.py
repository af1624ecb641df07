"""Blind votes on the stored answers of the real model."""

import pytest

from ift_course.errors import CourseError
from ift_course.lessons import ballots


def test_a_vote_shows_two_answers_and_no_names(monkeypatch):
    displayed = []
    monkeypatch.setattr(ballots, "display_both", lambda *forms, hint: displayed.extend(forms))
    ballots.show_votes("03", "30 examples", "300 examples")
    box, static = displayed
    texts = [static.html(), box.children[0].value]
    assert not any(name in text for text in texts for name in ("30 examples", "300", "Gemma"))


def test_without_stored_answers_it_says_what_to_run():
    with pytest.raises(CourseError, match="ift run 08 --profile gemma"):
        ballots.show_votes("08", "a", "b")
