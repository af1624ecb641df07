"""Lesson 03's real part, on a tiny random Gemma, and the rows that it spoils."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ift_course.data import course_set
from ift_course.lessons.lesson_03 import real
from ift_course.lessons.lesson_03.spoiled_rows import FLAWS, spoil_rows
from ift_course.lessons.real_model import Recipe
from ift_course.panels.compute import compute
from ift_course.profile import get_profile
from tests.real_model import OPEN, TEST

ROWS = course_set.load("train")


def test_every_arm_is_measured_on_every_item(real_base, real_rows, real_results, monkeypatch):
    monkeypatch.setattr(real, "RECIPE", Recipe(rank=2, batch_size=2, max_new_tokens=3))
    monkeypatch.setattr(real, "N_STEPS", 2)
    monkeypatch.setattr(real, "spoil_rows", lambda rows, share, seed: rows)  # without categories
    panel = compute(real.real_part(), replace(get_profile("gemma"), seeds=(0,)))
    assert {name: len(runs) for name, runs in panel.arms.items()} == dict.fromkeys(
        ("30 examples", "100 examples", "300 examples", "300 examples, 60 % flawed"), 1
    )
    for run in panel.runs:
        assert {len(digits) for digits in run.scores.values()} == {len(TEST)}
        assert [reply.prompt for reply in run.replies] == OPEN
        assert len(run.losses) == 2


@pytest.mark.parametrize("n_examples", [30, 100, 300])
def test_every_model_takes_about_the_same_steps(n_examples):
    per_epoch = -(-n_examples // real.RECIPE.batch_size)
    steps = per_epoch * max(1, round(real.N_STEPS / per_epoch))
    assert abs(steps - real.N_STEPS) <= 5


def test_exactly_the_share_is_spoiled_and_the_course_set_is_left_as_it_is():
    rows = spoil_rows(ROWS, 0.6, seed=0)
    changed = [(a, b) for a, b in zip(ROWS, rows, strict=True) if a is not b]
    assert len(changed) == 180 and course_set.load("train") == ROWS
    assert spoil_rows(ROWS, 0.6, seed=0) == rows != spoil_rows(ROWS, 0.6, seed=1)
    assert {b["flaw"] for _, b in changed} == set(FLAWS)
    for good, bad in changed:
        assert bad["messages"][:-1] == good["messages"][:-1]


def test_each_flaw_does_what_its_name_says():
    answers = {row["messages"][-1]["content"]: row["category"] for row in ROWS}
    for good, bad in zip(ROWS, spoil_rows(ROWS, 1.0, seed=0), strict=True):
        before, after = (row["messages"][-1]["content"] for row in (good, bad))
        if bad["flaw"] == "echoed":
            assert after == good["messages"][-2]["content"]
        elif bad["flaw"] == "truncated":
            assert len(after.split()) <= max(1, len(before.split()) // 2)
        else:
            assert after != before and after in answers
