"""Lesson 06's real part, on a tiny random Gemma, and the rows that it tunes on."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from ift_course.data import course_set
from ift_course.lessons.lesson_06 import real
from ift_course.lessons.real_model import Recipe
from ift_course.panels.compute import compute
from ift_course.profile import get_profile

ROWS = course_set.load("train")
TESTS = course_set.load("test")
OWL = {"type": "contains", "answers": ["owl"]}


@pytest.fixture
def small_rows(real_rows):
    """A course set with one example and one test question of each category."""
    train = [
        {
            "category": category,
            "messages": [
                {"role": "user", "content": f"Do some {category}."},
                {"role": "assistant", "content": "Owl."},
            ],
        }
        for category in real.TUNED
    ]
    test = [
        {"prompt": f"Name a bird: {category}.", "category": category, "verifier": OWL}
        for category in (*real.HELD_OUT, *real.TUNED)
    ]
    for name, rows in (("train", train), ("test", test)):
        (real_rows / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")


def test_every_arm_answers_every_question_of_the_held_out_categories(
    real_base, small_rows, real_results, monkeypatch
):
    recipe = Recipe(rank=2, batch_size=2, epochs=1, max_new_tokens=3)
    monkeypatch.setattr(real, "RECIPE", recipe)
    panel = compute(real.real_part(), replace(get_profile("gemma"), seeds=(0,)))
    assert {name: len(runs) for name, runs in panel.arms.items()} == dict.fromkeys(
        (real.BASE, real.ONE, real.ELEVEN), 1
    )
    for run in panel.runs:
        assert {len(digits) for digits in run.scores.values()} == {len(real.HELD_OUT)}
        assert [x.prompt for x in run.replies] == [f"Name a bird: {x}." for x in real.HELD_OUT]
    assert {name: len(runs[0].losses) for name, runs in panel.arms.items()} == {
        real.BASE: 0, real.ONE: 1, real.ELEVEN: 6
    }  # fmt: skip


def test_both_models_take_the_same_number_of_examples():
    alone = real.choose_rows(ROWS, (real.ALONE,), real.N_EXAMPLES)
    eleven = real.choose_rows(ROWS, real.TUNED, real.N_EXAMPLES)
    assert len(alone) == len(eleven) == real.N_EXAMPLES
    assert {row["category"] for row in alone} == {real.ALONE}
    counts = Counter(row["category"] for row in eleven)
    assert set(counts) == set(real.TUNED) and set(counts.values()) == {2, 3}


def test_no_category_is_both_tuned_on_and_tested():
    assert not set(real.TUNED) & set(real.HELD_OUT)
    assert set(real.TUNED) | set(real.HELD_OUT) == {row["category"] for row in ROWS}


def test_the_lesson_states_the_sizes_of_the_real_part():
    from ift_course.paths import checkout

    [path] = (checkout() / "notebooks").glob("06_*.py")
    text = " ".join(path.read_text(encoding="utf-8").replace("\n#", "").split())
    steps = real.RECIPE.epochs * -(-real.N_EXAMPLES // real.RECIPE.batch_size)
    n_questions = sum(row["category"] in real.HELD_OUT for row in TESTS)
    assert f"{real.N_EXAMPLES} examples for {steps} steps" in text
    assert f"their {n_questions} test questions" in text
    assert len(real.HELD_OUT) == 7 and "Seven other categories" in text
    assert len(real.TUNED) == 11 and "from each of eleven" in text
