"""Reinforcement learning from a reward, on TRL's GRPOTrainer (Shao et al., 2024)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ift_course.data.chat_templates import stop_at_end_of_turn
from ift_course.data.records import user_text
from ift_course.world.tasks import Example

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Sample:
    """A response that the policy drew. finished: it ended its turn before the limit."""

    text: str
    finished: bool


Reward = Callable[[Sequence[Example], Sequence[Sample]], Sequence[float]]


@dataclass(frozen=True)
class GrpoResult:
    """The policy and how it got there; history holds reward, completions/mean_length, … by step."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    history: list[dict[str, float]]
    seconds: float

    def curve(self, name: str) -> list[float]:
        """One logged quantity by step, as "reward"."""
        return [row[name] for row in self.history]


def grpo(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    examples: Sequence[Example],
    reward: Reward,
    *,
    seed: int,
    steps: int,
    learning_rate: float = 5e-5,
    prompts: int = 8,
    generations: int = 8,
    max_new_tokens: int = 32,
    temperature: float = 1.0,
    on_step: "Callable[[int, PreTrainedModel], None] | None" = None,
) -> GrpoResult:
    """Make responses likelier that earn more than their siblings, in place.

    At each step the policy answers `prompts` instructions `generations` times each, the reward
    judges the answers, and each is pushed up or down by how it compares with the others of its
    group. There is no demonstration and no pair: the policy learns from its own words.

    Args:
        examples: their instructions are asked, over and over in a new order.
        reward: the samples' rewards, given the examples they answer; any function of them.
        on_step: called with the number of steps done and the model, at 0 too.

    No KL penalty holds the policy back (TRL's default, beta = 0), so what the reward gets wrong is
    found.
    """
    import torch

    from ift_course.models.quiet import quiet

    started = time.perf_counter()
    with quiet():
        from datasets import Dataset
        from trl import GRPOConfig

        from ift_course.training.arguments import arguments
        from ift_course.training.preference.grpo_trainer import GroupTrainer, OnStep
        from ift_course.training.trainer import run

        torch.manual_seed(seed)
        dtype = next(model.parameters()).dtype
        if dtype != torch.float32:
            model.float()
        args = arguments(
            GRPOConfig,
            steps=steps,
            output_dir=".",
            seed=seed,
            data_seed=seed,
            max_steps=steps,
            learning_rate=learning_rate,
            per_device_train_batch_size=prompts * generations,
            num_generations=generations,
            max_completion_length=max_new_tokens,
            temperature=temperature,
        )
        trainer = GroupTrainer(
            model=model,
            reward_funcs=_on_samples(reward, examples, tokenizer),
            args=args,
            train_dataset=Dataset.from_list(_asked(examples)),
            processing_class=tokenizer,
            callbacks=[OnStep(on_step)] if on_step else [],
        )
        run(trainer)
        stop_at_end_of_turn(trainer.model, tokenizer)  # the trainer has put its eos there
    history = [entry for entry in trainer.state.log_history if "loss" in entry]
    return GrpoResult(
        trainer.model.to(dtype).eval(), tokenizer, history, time.perf_counter() - started
    )


def _asked(examples: Sequence[Example]) -> list[dict]:
    """TRL's prompts, each with the number of its example."""
    return [
        {"prompt": [{"role": "user", "content": user_text(x.instruction, x.input)}], "number": i}
        for i, x in enumerate(examples)
    ]


def _on_samples(reward: Reward, examples: Sequence[Example], tokenizer) -> Callable:
    """The reward as TRL calls it: with columns, and completions without their end of turn."""

    def rewards(completion_ids, number, **columns) -> list[float]:
        texts = tokenizer.batch_decode(completion_ids, skip_special_tokens=True)
        samples = [
            Sample(text, ids[-1] in tokenizer.all_special_ids)
            for text, ids in zip(texts, completion_ids, strict=True)
        ]
        return list(reward([examples[i] for i in number], samples))

    return rewards
