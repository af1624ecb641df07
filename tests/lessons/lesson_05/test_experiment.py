"""Lesson 05's arms: what each trains on, what is stored of it, and that stored runs resume."""

import functools
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

TINY = get_profile("tiny")


def make_result(
    config: PreferenceConfig, seed: int = 0, base: str | None = None
) -> PreferenceResult:
    return PreferenceResult(
        config=config, seed=seed, measures=dict.fromkeys(MEASURES, "10"), words=[1, 4],
        answers={"false": [f"{config.method}, {seed}"]}, pairs=2,
        curve=[{"step": 0, "chosen": -3.0, "rejected": -4.0}], date="2026-11-20",
        machine="a machine", seconds=1.0, base=base or base_identity(TINY),
    )  # fmt: skip


@pytest.fixture
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(grid_store, "evidence_root", lambda: tmp_path / "nothing" / "results")


def test_results_of_other_weights_are_not_read(own_store):
    grid_store.add(TINY, "05", make_result(ARMS["DPO"], base="other"))
    assert grid_store.read(TINY, "05", PreferenceResult) == []
    grid_store.add(TINY, "05", make_result(ARMS["DPO"]))
    assert grid_store.read(TINY, "05", PreferenceResult) == [make_result(ARMS["DPO"])]


def test_the_grid_is_stored_and_resumed(own_store, monkeypatch):
    computed = []
    monkeypatch.setattr(
        experiment,
        "run_config",
        lambda config, seed, _: computed.append(config) or make_result(config, seed),
    )
    full("05", configs=experiment.GRID[:3], jobs=1)
    full("05", configs=experiment.GRID[:4], jobs=1)
    assert len(computed) == 4 * 3
    runs = experiment.by_arm(grid_store.read(TINY, "05", PreferenceResult)[::-1])
    assert {name: [x.seed for x in of_arm] for name, of_arm in runs.items() if of_arm} == {
        name: [0, 1, 2] for name in list(ARMS)[:4]
    }
    assert {x.config for x in runs["SFT"]} == {ARMS["SFT"]}


def test_every_arm_is_a_configuration_of_its_own():
    assert len(set(ARMS.values())) == len(ARMS) == len(experiment.GRID)
    assert {config.start for config in ARMS.values()} == set(experiment.STARTS)


@pytest.fixture
def tiny_sizes(tiny_llama, monkeypatch):
    """Every arm on a random model, in seconds: the start is drawn, not tuned."""
    sizes = replace(
        experiment.SIZES["tiny"], exam=2, tokens=3, prompts=8, dpo_steps=2, follow_every=1, batch=2
    )
    monkeypatch.setitem(experiment.SIZES, "tiny", sizes)
    monkeypatch.setattr(experiment, "sft_stage", lambda profile, seed, flawed: tiny_llama)
    monkeypatch.setattr(  # a random model's own answers are all wrong, so none would give a pair
        experiment,
        "draw_answers",
        lambda model, tokenizer, asked, sizes: [
            [Completion(x.flawed, True), Completion(x.example.response, True)] for x in asked
        ],
    )
    for cached in (experiment._start, experiment._own_answers, experiment._after_bias):
        cached.cache_clear()
    yield sizes
    for cached in (experiment._start, experiment._own_answers, experiment._after_bias):
        cached.cache_clear()


def test_a_result_holds_one_item_for_each_prompt_of_its_exam(tiny_sizes):
    result = experiment.run_config(ARMS["DPO + SFT"], 1, TINY)
    assert {name: len(digits) for name, digits in result.measures.items()} == {
        "sycophancy": 2, "correction": 2, "contradiction": 2, "hallucination": 2, "refusal": 4,
        "accuracy": 4, "rambling": 4, "strict": 10,
    }  # fmt: skip
    assert len(result.words) == 4
    assert {name: len(texts) for name, texts in result.answers.items()} == {
        "false": 2, "true": 2, "unknown_people": 2, "facts": 4,
    }  # fmt: skip
    assert [point["step"] for point in result.curve] == [0, 1, 2]
    assert result.pairs > 0


def test_dpo_sees_as_many_answers_as_sft_on_the_chosen_ones(tiny_sizes, monkeypatch):
    from ift_course.training import sft as sft_module
    from ift_course.training.preference import dpo as dpo_module

    answers = {}

    def counted(function, per_row):
        @functools.wraps(function)
        def call(model, tokenizer, rows, **options):
            answers[function.__name__] = options["max_steps"] * options["batch_size"] * per_row
            return function(model, tokenizer, rows, **options)

        return call

    monkeypatch.setattr(sft_module, "sft", counted(sft_module.sft, 1))
    monkeypatch.setattr(dpo_module, "dpo", counted(dpo_module.dpo, 2))
    experiment.run_config(ARMS["SFT on chosen"], 0, TINY)
    experiment.run_config(ARMS["DPO"], 0, TINY)
    assert answers["sft"] == answers["dpo"]


def test_the_arm_with_the_high_rate_differs_from_dpo_in_the_rate_alone(tiny_sizes, monkeypatch):
    from ift_course.training.preference import dpo as dpo_module

    calls = []
    dpo = dpo_module.dpo

    @functools.wraps(dpo)
    def noted(*args, **options):
        calls.append(options)
        return dpo(*args, **options)

    monkeypatch.setattr(dpo_module, "dpo", noted)
    for arm in ("DPO", "DPO, high rate"):
        experiment.run_config(ARMS[arm], 0, TINY)
    usual, high = ({k: x for k, x in call.items() if k != "callbacks"} for call in calls)
    assert high.pop("learning_rate") > usual.pop("learning_rate")
    assert usual == high


def test_a_second_ranking_begins_where_the_biased_annotators_ended(tiny_sizes, monkeypatch):
    starts = []
    dpo_stage = experiment.dpo_stage

    def noted(model, *args, **options):
        result = dpo_stage(model, *args, **options)
        starts.append((model, result[0]))
        return result

    monkeypatch.setattr(experiment, "dpo_stage", noted)
    experiment.run_config(ARMS["biased annotators"], 0, TINY)
    experiment.run_config(ARMS["checked again"], 0, TINY)
    (_, biased), (start, _) = starts
    assert start is biased


def test_after_adapters_are_merged_all_weights_can_be_trained(wide_llama):
    """PEFT freezes them; GRPO, which trains all, would have nothing to train."""
    from peft import LoraConfig, get_peft_model

    adapted = get_peft_model(wide_llama[0], LoraConfig(task_type="CAUSAL_LM", r=2))
    whole = experiment.merged(adapted)
    assert not hasattr(whole, "peft_config")
    assert all(weight.requires_grad for weight in whole.parameters())
