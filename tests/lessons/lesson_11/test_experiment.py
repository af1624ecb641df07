"""Lesson 11's rewards, and what is stored of a run."""

from dataclasses import replace

import pytest

from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_11 import experiment
from ift_course.lessons.lesson_11.experiment import ARMS
from ift_course.profile import get_profile
from ift_course.world.tasks import FACT_TASKS, sample

TINY = get_profile("tiny")


def test_every_arm_is_a_configuration_of_its_own():
    assert len(set(ARMS.values())) == len(ARMS) == len(experiment.GRID)


def test_the_flawed_reward_pays_for_length_and_the_true_one_does_not():
    [example] = sample(1, seed=0, tasks=FACT_TASKS)
    answers = [
        example.response, f"{example.response}. The owl says hoot.", "a b c d e f g h i j k l m n "
        "o p q r s t u v w x y z",
    ]  # fmt: skip
    samples = [Completion(text, True) for text in answers]
    assert experiment.verified([example] * 3, samples) == [1, 0, 0]
    short, long, noise = experiment.flawed([example] * 3, samples)
    assert long > short
    assert noise == pytest.approx(1.0)


@pytest.mark.parametrize("arm", ["SFT", "flawed reward, KL"])
def test_a_result_has_its_measures_and_its_curve(arm, tiny_llama, monkeypatch):
    sizes = replace(
        experiment.SIZES["tiny"], exam=2, tokens=3, prompts=4, grpo_steps=2, grpo_prompts=1,
        eval_every=1, eval_prompts=2,
    )  # fmt: skip
    monkeypatch.setitem(experiment.SIZES, "tiny", sizes)
    monkeypatch.setattr(experiment, "sft_stage", lambda profile, seed: tiny_llama)
    experiment._sft_model.cache_clear()
    result = experiment.run_config(ARMS[arm], 1, TINY)
    experiment._sft_model.cache_clear()
    assert {name: len(digits) for name, digits in result.measures.items()} == {
        "strict": 10, "accuracy": 4, "sycophancy": 2, "hallucination": 2, "rambling": 4,
    }  # fmt: skip
    assert [point["step"] for point in result.curve] == ([] if arm == "SFT" else [0, 1, 2])
    if result.curve:
        assert result.curve[0]["kl"] == pytest.approx(0, abs=0.01)
        assert set(result.curve[0]) == {"step", "kl", "flawed", "verified", "words"}
