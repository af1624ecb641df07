"""Stored runs of lesson 05: added one by one, resumed, and never those of other weights."""

from dataclasses import replace

import pytest

from ift_course.claims import full, grid_store
from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_05 import experiment
from ift_course.lessons.lesson_05.experiment import (
    ARMS,
    MEASURES,
    PreferenceConfig,
    PreferenceResult,
)
from ift_course.models.fingerprint import base_identity
from ift_course.profile import get_profile
from ift_course.world.tasks import FACT_TASKS, sample

TINY = get_profile("tiny")
CONFIG = ARMS["GRPO"]


def make_result(
    config: PreferenceConfig, seed: int = 0, base: str | None = None
) -> PreferenceResult:
    return PreferenceResult(
        config=config, seed=seed,
        measures=dict.fromkeys(MEASURES, "10"), words=[1, 4],
        answers=dict.fromkeys(experiment.SAMPLE_PROMPTS, f"{config.stage}, {seed}"),
        curve=[{"step": 0, "kl": 0.0, "flawed": 0.5, "verified": 0.5}], date="2026-11-20",
        machine="a machine", seconds=1.0, base=base or base_identity(TINY),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(grid_store, "evidence_root", lambda: tmp_path / "nothing" / "results")


def test_results_of_other_weights_are_not_read():
    grid_store.add(TINY, "05", make_result(CONFIG, base="other"))
    assert grid_store.read(TINY, "05", PreferenceResult) == []
    grid_store.add(TINY, "05", make_result(CONFIG))
    assert grid_store.read(TINY, "05", PreferenceResult) == [make_result(CONFIG)]


def test_the_grid_is_stored_and_resumed(monkeypatch):
    computed = []
    monkeypatch.setattr(
        experiment,
        "run_config",
        lambda config, seed, _: computed.append(config) or make_result(config, seed),
    )
    full("05", configs=experiment.GRID[:3], jobs=1)
    full("05", configs=experiment.GRID[:4], jobs=1)
    assert len(computed) == 4 * 3
    stored = grid_store.read(TINY, "05", PreferenceResult)
    runs = experiment.by_arm(stored[::-1])
    assert {name: [x.seed for x in of_arm] for name, of_arm in runs.items() if of_arm} == {
        name: [0, 1, 2] for name in list(ARMS)[:4]
    }
    assert {x.config for x in runs["SFT"]} == {ARMS["SFT"]}


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


def test_a_result_holds_one_item_for_each_prompt_of_its_exam(tiny_llama, monkeypatch):
    sizes = replace(experiment.SIZES["tiny"], exam=2, tokens=3)
    monkeypatch.setitem(experiment.SIZES, "tiny", sizes)
    point = {"step": 0, "kl": 0.123456, "flawed": 0.5, "verified": 0.5}
    result = experiment.evaluate(CONFIG, 1, TINY, *tiny_llama, [point])
    assert {name: len(digits) for name, digits in result.measures.items()} == {
        "sycophancy": 2, "contradiction": 2, "hallucination": 2, "accuracy": 4, "rambling": 4,
        "strict": 10,
    }  # fmt: skip
    assert len(result.words) == 4
    assert set(result.answers) == set(experiment.SAMPLE_PROMPTS)
    assert (result.config, result.seed, result.curve[0]["kl"]) == (CONFIG, 1, 0.1235)


def test_after_adapters_are_merged_all_weights_can_be_trained(wide_llama):
    """PEFT freezes them; GRPO, which trains all, would have nothing to train."""
    from peft import LoraConfig, get_peft_model

    adapted = get_peft_model(wide_llama[0], LoraConfig(task_type="CAUSAL_LM", r=2))
    whole = experiment.merged(adapted)
    assert not hasattr(whole, "peft_config")
    assert all(weight.requires_grad for weight in whole.parameters())
