"""Lesson 07's real part, with a tiny random teacher and a tiny random Gemma."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ift_course.data import course_set
from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion
from ift_course.evaluation.items import read_items
from ift_course.lessons.lesson_07 import real
from ift_course.lessons.real_model import Recipe
from ift_course.panels.compute import compute
from ift_course.profile import get_profile
from tests.families import make
from tests.real_model import OPEN, TEST, TRAIN

ITEMS = read_items(course_set.path("prompts"))[:2]  # the capital of Norway; five words


def completions(*texts: str) -> list[Completion]:
    return [Completion(text, True) for text in texts]


SAMPLES = [
    completions("Bergen.", "Oslo.", "It is Oslo."),
    completions("A mountain is a very high piece of land."),
]


@pytest.fixture
def prompts(real_rows, monkeypatch):
    """A file of questions beside the other rows, and a teacher that is drawn at random."""
    rows = [
        {
            "messages": [{"role": "user", "content": question}],
            "verifier": {"type": "contains", "answers": [answer]},
            "ideal": answer,
        }
        for question, answer in TRAIN
    ]
    (real_rows / "prompts.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    monkeypatch.setattr(real, "open_teacher", lambda: make("qwen2-base"))
    cached = real.teacher_answers  # a test may put something else in its place
    cached.cache_clear()
    yield rows
    cached.cache_clear()


def test_every_arm_is_measured_on_every_item(real_base, prompts, real_results, monkeypatch):
    monkeypatch.setattr(real, "RECIPE", Recipe(rank=2, batch_size=2, max_new_tokens=3))
    monkeypatch.setattr(real, "N_STEPS", 2)
    answers = [completions(row["ideal"]) for row in prompts]
    monkeypatch.setattr(real, "teacher_answers", lambda on_step: answers)
    panel = compute(real.real_part(), replace(get_profile("gemma"), seeds=(0, 1)))
    assert {name: len(runs) for name, runs in panel.arms.items()} == {
        real.TEACHER: 1, real.ANY: 2, real.VERIFIED: 2, real.PEOPLE: 1
    }  # fmt: skip
    for run in panel.runs:
        assert {len(digits) for digits in run.scores.values()} == {len(TEST)}
        assert [reply.prompt for reply in run.replies] == OPEN
        if run.arm != real.TEACHER:
            assert len(run.losses) == 2
            assert run.quantities == {"examples": 4.0, "right among them, %": 100.0}


def test_the_real_part_takes_at_most_eight_runs_and_compares_arms_that_exist():
    part, profile = real.real_part(), get_profile("gemma")
    assert sum(len(arm.seeds(profile)) for arm in part.arms) <= 8
    assert {x for c in part.contrasts for x in (c.first, c.second)} <= {a.name for a in part.arms}


def test_the_teacher_answers_each_question_several_times_and_only_once(prompts, monkeypatch):
    monkeypatch.setattr(real, "SAMPLE_TOKENS", 3)
    samples = real.teacher_answers()
    assert [len(x) for x in samples] == [real.N_SAMPLES] * len(TRAIN)
    assert real.teacher_answers() is samples


def test_verified_answers_are_right_and_questions_without_one_are_left_out():
    [row] = real.training_rows(ITEMS, SAMPLES, verified=True, seed=0)
    assert row["right"] and "Oslo" in row["messages"][-1]["content"]
    rows = [real.training_rows(ITEMS, SAMPLES, verified=False, seed=seed) for seed in range(9)]
    assert {len(x) for x in rows} == {2}
    assert len({x[0]["messages"][-1]["content"] for x in rows}) == 3


def test_an_answer_that_was_cut_off_teaches_nothing():
    cut = [Completion("Oslo, which", False)]
    with pytest.raises(CourseError, match="no usable answer"):
        real.training_rows(ITEMS[:1], [cut], verified=False, seed=0)
