"""Lesson 08's real part, on a tiny random Gemma, and its tickets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ift_course.lessons.lesson_08 import real
from ift_course.lessons.lesson_08.tickets import looks_like_a_route, tickets
from ift_course.lessons.real_model import Recipe
from ift_course.panels.compute import compute
from ift_course.profile import get_profile
from tests.real_model import OPEN, TEST


@pytest.mark.slow
def test_every_arm_is_measured_on_general_questions_and_on_tickets(
    real_base, real_rows, real_results, monkeypatch
):
    monkeypatch.setattr(real, "RECIPE", Recipe(rank=2, epochs=1, batch_size=2, max_new_tokens=3))
    for name, value in {"N_EXAMPLES": 2, "N_TICKETS": 4, "N_TEST_TICKETS": 4, "N_SEEDS": 1}.items():
        monkeypatch.setattr(real, name, value)
    # A random model ends no answer; here every reply counts as ended.
    own = real.answer_itself
    monkeypatch.setattr(real, "answer_itself", lambda *args: own(*args) or [rows[0]])
    rows = [tickets("test", 1, 0)[0].row]
    panel = compute(real.real_part(), replace(get_profile("gemma"), seeds=(0,)))
    assert list(panel.arms) == [real.ASSISTANT, real.EXPERT, real.OWN, real.AVERAGE]
    for run in panel.runs:
        assert {name: len(digits) for name, digits in run.scores.items()} == {
            "strict": len(TEST), "tickets": 4, "routed": len(TEST)
        }  # fmt: skip
        assert len(run.replies) == len(OPEN) + real.N_SHOWN
    steps = {name: len(runs[0].losses) for name, runs in panel.arms.items()}
    assert steps[real.EXPERT] == steps[real.OWN] == steps[real.AVERAGE] > steps[real.ASSISTANT]


def test_tickets_of_the_test_are_worded_otherwise_and_have_other_numbers():
    train, test = tickets("train", 96, seed=1), tickets("test", 100, seed=0)
    assert train == tickets("train", 96, seed=1) != tickets("train", 96, seed=2)
    wordings = [
        {t.message.replace(t.route.split()[1], "…") for t in part} for part in (train, test)
    ]
    assert not wordings[0] & wordings[1]
    assert len({ticket.route for ticket in test}) == len(test), "no constant answer is right twice"
    assert all(ticket.route.split()[1] in ticket.message for ticket in (*train, *test))


def test_only_the_route_alone_is_accepted_and_recognized():
    [ticket] = tickets("test", 1, seed=0)
    assert ticket.accepts(ticket.route) and looks_like_a_route(ticket.route)
    for text in (f"{ticket.route}.", f"Route: {ticket.route}", ticket.route.lower(), "RETURN"):
        assert not ticket.accepts(text) and not looks_like_a_route(text)
