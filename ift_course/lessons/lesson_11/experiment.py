"""Lesson 11's grid: GRPO on the verifier, on a flawed reward, and on that with a KL penalty.

All runs start from the SFT model of lesson 05.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean
from typing import TYPE_CHECKING

from ift_course.claims.results import Config, Result, item_digits, item_scores
from ift_course.evaluation.failure_modes import BehaviorScores, evaluate_behavior
from ift_course.evaluation.generate import Completion, generate_replies
from ift_course.evaluation.score import judge, lenient
from ift_course.lessons.lesson_05.experiment import SHOWN, sft_stage
from ift_course.lessons.lesson_05.situations import behavior_exam, situations
from ift_course.lessons.lesson_05.sizes import SIZES, PreferenceSizes
from ift_course.profile import Profile
from ift_course.world.tasks import Example

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.training.preference.grpo import Sample

    Loaded = tuple[PreTrainedModel, PreTrainedTokenizerBase]

MEASURES = ("strict", "accuracy", "sycophancy", "hallucination", "rambling")


@dataclass(frozen=True)
class ReinforcementConfig(Config):
    """One arm.

    Attributes:
        reward: A name in REWARDS, or "" for the SFT model before any reward.
        kl: With a KL penalty.
    """

    reward: str = ""
    kl: bool = False


class ReinforcementResult(Result):
    """How the model of one arm and seed behaves.

    `seconds` covers the whole run, without the SFT that the arms of a seed share.

    Attributes:
        measures: For each of MEASURES "1" or "0" for each prompt of the exam it is about.
        words: The number of words in each answer to a plain question.
        answers: The answers to the first plain questions of the exam.
        curve: For each look during GRPO its step, KL from the SFT model (nats per response), mean
            flawed and verified reward, and mean words of the samples.
    """

    config: ReinforcementConfig
    measures: dict[str, str]
    words: list[int]
    answers: list[str]
    curve: list[dict[str, float]]

    def items(self, measure: str) -> list[float]:
        """1.0 or 0.0 for each prompt: what `claim` takes as one seed of an arm."""
        return item_scores(self.measures[measure])


# The lesson's arms, by the names that its figures use.
ARMS = {
    "SFT": ReinforcementConfig(),
    "verifier": ReinforcementConfig("verified"),
    "flawed reward": ReinforcementConfig("flawed"),
    "flawed reward, KL": ReinforcementConfig("flawed", kl=True),
}
GRID = tuple(ARMS.values())


def verified(examples: Sequence[Example], samples: Sequence[Sample | Completion]) -> list[float]:
    """The true reward: 1 for the right answer and nothing else.

    Args:
        examples: The questions.
        samples: The answers, as completions or as samples of GRPO.
    """
    return judge(examples, [Completion(x.text, x.finished) for x in samples]).items


def flawed(examples: Sequence[Example], samples: Sequence[Sample | Completion]) -> list[float]:
    """What an annotator in a hurry gives: 1 if the right words occur, and more for longer answers.

    0.05 for each word up to twenty, so a long answer without the right words is worth nearly as
    much as a short right one.
    """
    return [
        float(lenient(example, sample.text)) + 0.05 * min(len(sample.text.split()), 20)
        for example, sample in zip(examples, samples, strict=True)
    ]


REWARDS = {"verified": verified, "flawed": flawed}


def reward_prompts(n: int, *, seed: int) -> list[Example]:
    """n prompts for reinforcement learning: lesson 05's kinds, from the training split."""
    return [x.example for x in situations(n, seed=seed, use="rewards")]


def grpo_stage(
    config: ReinforcementConfig,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    seed: int,
    sizes: PreferenceSizes,
) -> tuple[PreTrainedModel, list[dict[str, float]]]:
    """A copy of the SFT model after GRPO on a reward, and how it got there.

    Args:
        config: The arm.
        model: The SFT model, left as it is.
        tokenizer: Of the model.
        seed: Of the prompts and of the training.
        sizes: The settings.

    Returns:
        The policy, and the curve of `ReinforcementResult`.
    """
    from ift_course.training.preference.grpo import grpo

    held_out = reward_prompts(sizes.eval_prompts, seed=1000 + seed)
    curve: list[dict[str, float]] = []

    def look(step: int, policy: PreTrainedModel) -> None:
        if step % sizes.eval_every == 0:
            curve.append({"step": step} | look_at(policy, model, tokenizer, held_out, seed, sizes))

    result = grpo(
        copy.deepcopy(model),
        tokenizer,
        reward_prompts(sizes.prompts, seed=seed),
        REWARDS[config.reward],
        seed=seed,
        steps=sizes.grpo_steps,
        prompts=sizes.grpo_prompts,
        learning_rate=sizes.grpo_rate,
        max_new_tokens=sizes.tokens,
        beta=sizes.kl_weight if config.kl else 0.0,
        on_step=look,
    )
    return result.model, curve


def look_at(
    policy: PreTrainedModel,
    reference: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    seed: int,
    sizes: PreferenceSizes,
) -> dict[str, float]:
    """What a policy's samples earn, and how far it is from where it started.

    Args:
        policy: The model in training; it writes one sample for each prompt.
        reference: The model it started from.
        tokenizer: Of both.
        examples: The prompts.
        seed: Of the sampling, at temperature 1.
        sizes: The settings.

    Returns:
        "kl", KL(policy || reference) in nats per response, estimated on the samples; the means of
        the "flawed" and of the "verified" reward; the mean number of "words".
    """
    from ift_course.training.preference.logps import response_logps

    samples = generate_replies(
        policy, tokenizer, examples, temperature=1.0, seed=seed, max_new_tokens=sizes.tokens
    )
    rows = [_response_row(tokenizer, x, s) for x, s in zip(examples, samples, strict=True)]
    kl = response_logps(policy, rows) - response_logps(reference, rows)
    return {
        "kl": kl.mean().item(),
        "flawed": fmean(flawed(examples, samples)),
        "verified": fmean(verified(examples, samples)),
        "words": fmean(len(sample.text.split()) for sample in samples),
    }


def _response_row(
    tokenizer: PreTrainedTokenizerBase, example: Example, sample: Completion
) -> dict[str, list[int]]:
    from ift_course.data.loss_mask import IGNORE
    from ift_course.data.records import Record
    from ift_course.training.preference.pairs import split

    record = Record.from_instruction(example.instruction, example.input, sample.text)
    prompt, response = split(tokenizer, record.messages)
    response = response if sample.finished else response[:-1]
    return {
        "input_ids": prompt + response,
        "labels": [IGNORE] * len(prompt) + response,
    }


@lru_cache(maxsize=1)
def _sft_model(profile: Profile, seed: int) -> Loaded:
    """The SFT model that the other arms of a seed start from; they train copies of it."""
    return sft_stage(profile, seed)


def run_config(config: ReinforcementConfig, seed: int, profile: Profile) -> ReinforcementResult:
    """Train one arm with one seed and evaluate its model"""
    model, tokenizer = _sft_model(profile, seed)
    started = time.perf_counter()
    sizes, curve = SIZES[profile.name], []
    if config.reward:
        model, curve = grpo_stage(config, model, tokenizer, seed, sizes)
    exam = behavior_exam(sizes.exam, seed=seed)
    behavior = evaluate_behavior(model, tokenizer, exam, max_new_tokens=sizes.tokens)
    return ReinforcementResult.stamped(
        config,
        seed,
        profile,
        seconds=time.perf_counter() - started,
        **stored_behavior(behavior),
        curve=[{name: round(value, 4) for name, value in point.items()} for point in curve],
    )


def stored_behavior(behavior: BehaviorScores) -> dict[str, object]:
    """The measures, words and answers of `ReinforcementResult`."""
    return {
        "measures": {name: item_digits(behavior.items(name)) for name in MEASURES},
        "words": [int(count) for count in behavior.words],
        "answers": behavior.texts["facts"][:SHOWN],
    }


def by_arm(results: Sequence[ReinforcementResult]) -> dict[str, list[ReinforcementResult]]:
    """The results of each of ARMS, by seed."""
    ordered = sorted(results, key=lambda result: result.seed)
    return {name: [x for x in ordered if x.config == config] for name, config in ARMS.items()}
