"""A reward model: the language model's body with one number on top (Ouyang et al., 2022, 3.5)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ift_course.data.loss_mask import render
from ift_course.data.pairs import Pair
from ift_course.data.records import Message
from ift_course.training.options import EpochKeywords, TrainOptions, accepts
from ift_course.training.preference.pairs import prepare_pairs
from ift_course.training.runner import fit

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from typing_extensions import Unpack

DEFAULTS = TrainOptions(epochs=1.0, learning_rate=1e-4, progress=False)
BATCH_SIZE = 64  # conversations that are scored at a time


@dataclass(frozen=True)
class RewardModel:
    """Gives a conversation that ends with the assistant one number: the higher, the better.

    Only differences between responses to the same prompt mean anything.

    Attributes:
        history: loss, accuracy and margin of each step.
        seconds: that training took.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    history: list[dict[str, float]]
    seconds: float

    def rewards(self, conversations: Sequence[Sequence[Message]]) -> torch.Tensor:
        """Return the rewards of conversations, float32 (conversations,)."""
        import torch

        rendered = [render(self.tokenizer, messages) for messages in conversations]
        # As in training: up to the end of the last turn, without the template's newline.
        rows = [ids[: len(mask) - mask[::-1].index(1)] for ids, mask in rendered]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        rewards = torch.empty(len(rows))
        with torch.no_grad():
            for start in range(0, len(order), BATCH_SIZE):
                indices = order[start : start + BATCH_SIZE]
                rewards[indices] = self._batch_rewards([rows[i] for i in indices])
        return rewards

    def pair_rewards(self, pairs: Sequence[Pair]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the rewards of the chosen and of the rejected responses, float32 (pairs,) each."""
        return (
            self.rewards([pair.chosen_messages for pair in pairs]),
            self.rewards([pair.rejected_messages for pair in pairs]),
        )

    def _batch_rewards(self, rows: list[list[int]]) -> torch.Tensor:
        import torch

        model: Any = self.model
        # One length at a time needs no padding, so it does not matter which token pads.
        rewards = torch.empty(len(rows))
        for length in {len(row) for row in rows}:
            indices = [i for i, row in enumerate(rows) if len(row) == length]
            ids = torch.tensor([rows[i] for i in indices], device=model.device)
            hidden = model.base_model(ids, use_cache=False).last_hidden_state[:, -1]
            rewards[indices] = model.score(hidden)[:, 0].float().cpu()
        return rewards


@accepts(EpochKeywords, DEFAULTS)
def train_reward(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[Pair],
    **options: Unpack[EpochKeywords],
) -> RewardModel:
    """Train a reward model on pairs, starting from the body of `model`, which stays as it is.

    Args:
        model: a causal language model.
        tokenizer: with a chat template.
        pairs: prompts with a better and a worse response; longer ones are cut at `max_length`.
        options: `seed`, `epochs`, `max_steps`, `learning_rate`, `warmup_ratio`, `batch_size`,
            `gradient_accumulation`, `max_length`, `optimizer`, `gradient_checkpointing` and
            `progress`, as `training.options.TrainOptions` describes them.

    Raises:
        CourseError: an option is unknown or out of its range, or no pair is left within
            `max_length` tokens.
    """
    import torch

    from ift_course.models.quiet import quiet

    started = time.perf_counter()
    chosen = DEFAULTS.updated(train_reward, options)
    prepared = prepare_pairs(tokenizer, pairs, chosen.max_length)
    rows = [
        {name: row["prompt_ids"] + row[name] for name in ("chosen_ids", "rejected_ids")}
        for row in prepared.rows
    ]
    with quiet():
        from trl import RewardConfig

        from ift_course.training.preference.trainers import ScoreTrainer

        torch.manual_seed(chosen.seed)
        result, _ = fit(
            ScoreTrainer,
            RewardConfig,
            with_score(model),
            tokenizer,
            rows,
            chosen,
            dtype=torch.float32,
            config={"max_length": chosen.max_length},
        )
    return RewardModel(result.model, tokenizer, result.history, time.perf_counter() - started)


def with_score(model: PreTrainedModel) -> PreTrainedModel:
    """Return a copy of the language model that gives one number instead of logits.

    The number is read off the last token's hidden state, where all of the text has been seen. Its
    weights start at zero, so every reward is 0 before the first step and the loss is ln 2.
    """
    import torch
    from transformers import AutoModelForSequenceClassification

    config = type(model.config).from_dict(model.config.to_dict() | {"num_labels": 1})
    scored = AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
    scored.base_model.load_state_dict(model.base_model.state_dict())
    torch.nn.init.zeros_(scored.score.weight)
    return scored.to(model.device)
