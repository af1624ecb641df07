"""Reinforcement learning from a reward, on TRL's GRPOTrainer (Shao et al., 2024)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ift_course.data.records import user_text
from ift_course.training.limits import check_options
from ift_course.training.options import LoopKeywords, TrainOptions, accepts
from ift_course.training.runner import TrainingResult, fit, make_trainable
from ift_course.world.tasks import Example

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from typing_extensions import Unpack

DEFAULTS = TrainOptions(learning_rate=5e-5, progress=False)


@dataclass(frozen=True)
class Sample:
    """A response that the policy sampled.

    Attributes:
        text: without special tokens.
        finished: it ended its turn before the limit.
    """

    text: str
    finished: bool


Reward = Callable[[Sequence[Example], Sequence[Sample]], Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class GrpoResult(TrainingResult):
    """The policy, and what it cost; `history` has reward, completions/mean_length, … by step."""


@accepts(LoopKeywords, DEFAULTS)
def grpo(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    reward: Reward,
    *,
    steps: int,
    prompts: int = 8,
    generations: int = 8,
    max_new_tokens: int = 32,
    temperature: float = 1.0,
    beta: float = 0.0,
    on_step: Callable[[int, PreTrainedModel], None] | None = None,
    **options: Unpack[LoopKeywords],
) -> GrpoResult:
    """Make responses likelier that earn more than their siblings, in place.

    At each step the policy answers `prompts` instructions `generations` times each, the reward
    judges the answers, and each is pushed up or down by how it compares with the others of its
    group. There is no demonstration and no pair: the policy learns from its own words.

    Without a KL penalty (TRL's default, beta = 0) nothing holds the policy back, so it will find
    what the reward gets wrong.

    Args:
        model: the policy, usually after SFT.
        tokenizer: with a chat template.
        examples: their instructions are the prompts, over and over in a new order.
        reward: returns the samples' rewards, given the examples they answer; any function of them.
        steps: of the optimizer.
        prompts: instructions per step.
        generations: samples per instruction, the group.
        max_new_tokens: of a sample.
        temperature: of sampling.
        beta: weight of the KL penalty; the reference is the model as it is when this is called.
        on_step: is called with the number of steps taken and the model, before the first as well.
        options: `seed`, `learning_rate`, `warmup_ratio`, `optimizer`, `gradient_checkpointing` and
            `progress`, as `training.options.TrainOptions` describes them.

    Raises:
        CourseError: an option is unknown or out of its range.
    """
    import torch

    from ift_course.models.quiet import quiet

    started = time.perf_counter()
    chosen = DEFAULTS.updated(grpo, options)
    check_options(max_steps=steps, max_new_tokens=max_new_tokens, temperature=temperature)
    if beta:
        check_options(beta=beta)
    chosen = replace(chosen, max_steps=steps, batch_size=prompts * generations)
    with quiet():
        from trl import GRPOConfig

        from ift_course.training.preference.grpo_trainer import GroupTrainer, OnStep

        torch.manual_seed(chosen.seed)
        result, _ = fit(
            GroupTrainer,
            GRPOConfig,
            model,
            tokenizer,
            _prompts(examples),
            chosen,
            dtype=make_trainable(model, chosen.method),
            config={
                "num_generations": generations,
                "max_completion_length": max_new_tokens,
                "temperature": temperature,
            },
            callbacks=[OnStep(on_step)] if on_step else [],
            reward_funcs=_on_samples(reward, examples, tokenizer),
            beta=beta,
        )
    own: dict[str, Any] = {"seconds": time.perf_counter() - started}
    return GrpoResult(**vars(result) | own)


def _prompts(examples: Sequence[Example]) -> list[dict[str, Any]]:
    """Return TRL's prompts, each with the number of its example."""
    return [
        {"prompt": [{"role": "user", "content": user_text(x.instruction, x.input)}], "number": i}
        for i, x in enumerate(examples)
    ]


def _on_samples(
    reward: Reward, examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase
) -> Callable[..., list[float]]:
    """Return the reward as TRL calls it: with columns, and completions as tokens."""

    def rewards(completion_ids: list[list[int]], number: list[int], **columns: Any) -> list[float]:
        texts = tokenizer.batch_decode(completion_ids, skip_special_tokens=True)
        samples = [
            Sample(text, ids[-1] in tokenizer.all_special_ids)
            for text, ids in zip(texts, completion_ids, strict=True)
        ]
        return list(reward([examples[i] for i in number], samples))

    return rewards
