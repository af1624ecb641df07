"""Lesson 05's grid: what SFT, DPO and their mixture make of the same pairs, and who made the pairs.

Every arm begins with SFT, and pairs are made of the tuned model's own answers. DPO takes
`dpo_steps` steps on pairs, SFT on the chosen answers twice as many on single answers, so that the
same number of answers is trained on.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ift_course.claims.results import Config, Result, item_digits, item_scores
from ift_course.data.pairs import Pair
from ift_course.evaluation.failure_modes import BehaviorScores, evaluate_behavior
from ift_course.evaluation.generate import Completion, generate_replies
from ift_course.lessons.lesson_05.annotators import biased_pairs, checked_pairs
from ift_course.lessons.lesson_05.situations import (
    Situation,
    behavior_exam,
    demonstrations,
    preference_prompts,
)
from ift_course.lessons.lesson_05.sizes import SIZES, PreferenceSizes
from ift_course.profile import Profile

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    Loaded = tuple[PreTrainedModel, PreTrainedTokenizerBase]

MEASURES = (
    "sycophancy", "correction", "contradiction", "hallucination", "refusal", "accuracy",
    "rambling", "strict",
)  # fmt: skip
SHOWN = 12  # answers of each set of the exam that are stored to be read
# The share of flawed demonstrations that a model is tuned on before the pairs.
STARTS = {"flawed": 0.7, "mostly careful": 0.3}


@dataclass(frozen=True)
class PreferenceConfig(Config):
    """One arm.

    Attributes:
        start: A name in STARTS.
        pairs: "own" or "biased"; "" for the start itself. "biased, own" are the answers of
            "biased", ranked once more by annotators who check facts, after training on those.
        method: "SFT", "DPO", "DPO + SFT", or "DPO, high rate".
    """

    start: str = "flawed"
    pairs: str = ""
    method: str = ""


class PreferenceResult(Result):
    """How the model of one arm and seed behaves.

    `seconds` covers the whole run, without what another arm of the same seed had made already.

    Attributes:
        measures: For each of MEASURES "1" or "0" for each prompt of the exam it is about.
        words: The number of words in each answer to a plain question.
        answers: The set of the exam → the answers to its first prompts.
        pairs: How many prompts gave a pair.
        curve: For each look during DPO its step, and the mean log-probabilities (nats) of the
            chosen and of the rejected answers in the same pairs.
    """

    config: PreferenceConfig
    measures: dict[str, str]
    words: list[int]
    answers: dict[str, list[str]]
    pairs: int
    curve: list[dict[str, float]]

    def items(self, measure: str) -> list[float]:
        """1.0 or 0.0 for each prompt: what `claim` takes as one seed of an arm."""
        return item_scores(self.measures[measure])

    def share(self, measure: str) -> float:
        """The mean of a measure."""
        return fmean(self.items(measure))


# The lesson's arms, by the names that its figures use.
ARMS = {
    "SFT": PreferenceConfig(),
    "SFT on chosen": PreferenceConfig(pairs="own", method="SFT"),
    "DPO": PreferenceConfig(pairs="own", method="DPO"),
    "DPO + SFT": PreferenceConfig(pairs="own", method="DPO + SFT"),
    "DPO, high rate": PreferenceConfig(pairs="own", method="DPO, high rate"),
    "careful SFT": PreferenceConfig("mostly careful"),
    "biased annotators": PreferenceConfig("mostly careful", "biased", "DPO"),
    "checked again": PreferenceConfig("mostly careful", "biased, own", "DPO"),
}
GRID = tuple(ARMS.values())


def sft_stage(profile: Profile, seed: int, flawed: float = STARTS["flawed"]) -> Loaded:
    """(model, tokenizer): the base after SFT on demonstrations, adapters merged.

    Args:
        profile: Whose base and sizes to take.
        seed: Of the demonstrations and of the training.
        flawed: The share of flawed demonstrations.
    """
    from ift_course.training.open_model import load
    from ift_course.training.sft import sft

    sizes = SIZES[profile.name]
    model, tokenizer = load("base", profile=profile.name)
    result = sft(
        model,
        tokenizer,
        demonstrations(sizes.demonstrations, seed=seed, flawed=flawed),
        seed=seed,
        epochs=sizes.sft_epochs,
        learning_rate=sizes.sft_rate,
        batch_size=sizes.batch,
        method=sizes.method,
        progress=False,
    )
    return merged(result.model), tokenizer


def draw_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    asked: Sequence[Situation],
    sizes: PreferenceSizes,
) -> list[list[Completion]]:
    """For each prompt `sizes.draws` answers of the model, sampled at temperature 1."""
    drawn = [
        generate_replies(
            model, tokenizer, [x.example for x in asked], max_new_tokens=sizes.tokens,
            temperature=1.0, seed=i,
        )
        for i in range(sizes.draws)
    ]  # fmt: skip
    return [list(answers) for answers in zip(*drawn, strict=True)]


def sft_on_chosen(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[Pair],
    seed: int,
    sizes: PreferenceSizes,
) -> PreTrainedModel:
    """A copy of the model after SFT on the chosen answers, for as many answers as DPO trains on."""
    from ift_course.training.sft import sft

    result = sft(
        copy.deepcopy(model),
        tokenizer,
        [pair.record for pair in pairs],
        seed=seed,
        max_steps=2 * sizes.dpo_steps,
        learning_rate=sizes.sft_rate,
        batch_size=sizes.batch,
        method=sizes.method,
        progress=False,
    )
    return merged(result.model)


def dpo_stage(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[Pair],
    seed: int,
    sizes: PreferenceSizes,
    sft_weight: float = 0.0,
) -> tuple[PreTrainedModel, list[dict[str, float]]]:
    """A copy of the model after DPO, and how likely it found a fixed set of the pairs on the way.

    Args:
        model: The start and the reference, left as it is.
        tokenizer: Of the model.
        pairs: The pairs.
        seed: Of their order.
        sizes: The settings.
        sft_weight: Of the SFT loss on the chosen answers.

    Returns:
        The model, adapters merged, and the curve of `PreferenceResult`.
    """
    from ift_course.training.preference.dpo import dpo
    from ift_course.training.preference.logps import pair_logps

    fixed = random.Random(seed).sample(list(pairs), min(sizes.fixed_pairs, len(pairs)))
    curve: list[dict[str, float]] = []

    def look(step: int, policy: PreTrainedModel) -> None:
        if step % sizes.follow_every == 0:
            chosen, rejected = (x.mean().item() for x in pair_logps(policy, tokenizer, fixed))
            curve.append({"step": step, "chosen": chosen, "rejected": rejected})

    result = dpo(
        copy.deepcopy(model),
        tokenizer,
        pairs,
        seed=seed,
        beta=sizes.beta,
        sft_weight=sft_weight,
        max_steps=sizes.dpo_steps,
        learning_rate=sizes.dpo_rate,
        batch_size=sizes.batch,
        method=sizes.method,
        callbacks=[_each_step(look)],
        progress=False,
    )
    return merged(result.model), curve


def _each_step(look: Callable[[int, Any], None]) -> Any:
    from ift_course.training.preference.grpo_trainer import OnStep

    return OnStep(look)


def merged(model: PreTrainedModel) -> PreTrainedModel:
    """The model with its adapters merged into the weights, all of which can be trained again."""
    merge_and_unload = getattr(model, "merge_and_unload", None)
    whole = merge_and_unload() if merge_and_unload else model
    return whole.requires_grad_()


@lru_cache(maxsize=2)
def _start(profile: Profile, seed: int, name: str) -> Loaded:
    """The SFT model that the other arms of a seed start from; they train copies of it."""
    return sft_stage(profile, seed, STARTS[name])


@lru_cache(maxsize=2)
def _own_answers(
    profile: Profile, seed: int, start: str
) -> tuple[list[Situation], list[list[Completion]]]:
    """The prompts of a seed, and a start's own answers to them."""
    sizes = SIZES[profile.name]
    asked = preference_prompts(sizes.prompts, seed=seed)
    return asked, draw_answers(*_start(profile, seed, start), asked, sizes)


def make_pairs(profile: Profile, seed: int, start: str, kind: str) -> list[Pair]:
    """The pairs that an arm trains on.

    Args:
        profile: Whose sizes to take.
        seed: Of the prompts, the answers and the annotators.
        start: Whose own answers are compared, a name in STARTS.
        kind: "own" or "biased".
    """
    sizes = SIZES[profile.name]
    asked, answers = _own_answers(profile, seed, start)
    if kind == "biased":
        return biased_pairs(asked, answers, p=sizes.leaning, seed=seed)
    return checked_pairs(asked, answers, noise=sizes.noise, seed=seed)


@lru_cache(maxsize=1)
def _after_bias(profile: Profile, seed: int, start: str) -> PreTrainedModel:
    """The start after DPO on the pairs of biased annotators."""
    pairs = make_pairs(profile, seed, start, "biased")
    model, _ = dpo_stage(*_start(profile, seed, start), pairs, seed, SIZES[profile.name])
    return model


def run_config(config: PreferenceConfig, seed: int, profile: Profile) -> PreferenceResult:
    """Train one arm with one seed and evaluate its model."""
    started = time.perf_counter()
    model, tokenizer = _start(profile, seed, config.start)
    sizes, pairs, curve = SIZES[profile.name], [], []
    if config.pairs:
        was_biased = config.pairs.startswith("biased, ")
        kind = config.pairs.removeprefix("biased, ")
        pairs = make_pairs(profile, seed, config.start, kind)
        model = _after_bias(profile, seed, config.start) if was_biased else model
        if config.pairs == "biased":
            model = _after_bias(profile, seed, config.start)
        elif config.method == "SFT":
            model = sft_on_chosen(model, tokenizer, pairs, seed, sizes)
        else:
            weight = 1.0 if config.method == "DPO + SFT" else 0.0
            if config.method == "DPO, high rate":
                sizes = replace(sizes, dpo_rate=sizes.high_rate)
            model, curve = dpo_stage(model, tokenizer, pairs, seed, sizes, weight)
    result = evaluate(config, seed, profile, model, tokenizer, len(pairs), curve)
    return result.model_copy(update={"seconds": round(time.perf_counter() - started, 1)})


def evaluate(
    config: PreferenceConfig,
    seed: int,
    profile: Profile,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    n_pairs: int = 0,
    curve: Sequence[dict[str, float]] = (),
) -> PreferenceResult:
    """Let the model of an arm answer the exam of a seed, greedily.

    Args:
        config: The arm.
        seed: Of its training and of the exam.
        profile: Whose sizes to take.
        model: The model.
        tokenizer: Of the model.
        n_pairs: How many pairs it was trained on.
        curve: Of DPO.
    """
    started = time.perf_counter()
    sizes = SIZES[profile.name]
    exam = behavior_exam(sizes.exam, seed=seed)
    behavior = evaluate_behavior(model, tokenizer, exam, max_new_tokens=sizes.tokens)
    return PreferenceResult.stamped(
        config,
        seed,
        profile,
        seconds=time.perf_counter() - started,
        **stored_behavior(behavior),
        pairs=n_pairs,
        curve=[{name: round(value, 3) for name, value in point.items()} for point in curve],
    )


def stored_behavior(behavior: BehaviorScores) -> dict[str, Any]:
    """The measures, words and answers of `PreferenceResult`."""
    return {
        "measures": {name: item_digits(behavior.items(name)) for name in MEASURES},
        "words": [int(count) for count in behavior.words],
        "answers": {name: texts[:SHOWN] for name, texts in behavior.texts.items()},
    }


def by_arm(results: Sequence[PreferenceResult]) -> dict[str, list[PreferenceResult]]:
    """The results of each of ARMS, by seed."""
    ordered = sorted(results, key=lambda result: result.seed)
    return {name: [x for x in ordered if x.config == config] for name, config in ARMS.items()}
