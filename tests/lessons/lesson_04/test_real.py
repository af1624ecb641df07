"""Lesson 04's real part, on a tiny random Gemma: the same code, other weights and rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ift_course.lessons.lesson_04 import real
from ift_course.lessons.real_model import Recipe
from ift_course.models.checksums import write_sums
from ift_course.models.gemma import GEMMA as WHEEL
from ift_course.models.save import save
from ift_course.panels.compute import compute
from ift_course.panels.real_part import Job
from ift_course.panels.view import PanelView
from ift_course.profile import get_profile
from tests.families import make
from tests.real_model import OPEN

GEMMA = get_profile("gemma")


@pytest.fixture
def place(real_base, real_rows, real_results, monkeypatch):
    recipe = Recipe(rank=2, epochs=2, batch_size=2, max_new_tokens=3)
    monkeypatch.setattr(real, "RECIPE", recipe)
    write_sums(save(*make("gemma3-base", 64), real_base))  # 4-bit layers need 64 inputs
    assert real_base.name == WHEEL.folder
    return real_results


def test_both_methods_are_measured(place):
    panel = compute(real.real_part(), replace(GEMMA, seeds=(0,)))
    counts = {name: len(runs) for name, runs in panel.arms.items()}
    assert counts == {real.BASE: 1, real.LORA: 1, real.QLORA: 1}
    for run in panel.runs:
        assert [reply.prompt for reply in run.replies] == OPEN
        is_tuned = run.arm != real.BASE
        assert len(run.losses) == (4 if is_tuned else 0)
        assert bool(run.quantities) == is_tuned
        assert all(value > 0 for value in run.quantities.values())
    view = PanelView(panel, "ift run 04 --profile gemma")
    assert "peak of a step, MB" in view.html() and "tokens/s" in str(view)
    assert view.table[1][1:5] == [""] * 4, "nothing of the base is measured but its replies"


def test_the_measured_memory_is_a_few_megabytes_above_the_predicted_one(place):
    pairs = [real._pair(row["messages"]) for row in real.course_set.load("train")]
    memory = {method: real.step_memory(Job(GEMMA, 0), method, pairs) for method in real_methods()}
    for of_method in memory.values():
        # Beside so small a model, what the trainer itself allocates is most of it.
        assert 0 < of_method.measured - of_method.predicted < 10 * real.MB


def test_a_system_turn_and_earlier_answers_belong_to_the_question():
    contents = (("system", "Be brief."), ("user", "Hi."), ("assistant", "Hello."))
    messages = [{"role": role, "content": content} for role, content in contents]
    assert real._pair(messages) == {
        "prompt": "Question: Be brief.\nHi.\nAnswer:",
        "completion": " Hello.",
    }


def real_methods() -> tuple[real.Method, ...]:
    return "lora", "qlora"
