"""A reward model: the language model's body with one number on top (Ouyang et al., 2022, 3.5)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ift_course.data.loss_mask import render
from ift_course.data.pairs import Pair
from ift_course.training.preference.pairs import prepare_pairs

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    Messages = Sequence[dict[str, str]]


@dataclass(frozen=True)
class RewardModel:
    """Gives a conversation that ends with the assistant one number: the higher, the better.

    Only differences between responses to the same prompt mean anything.
    """

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    history: list[dict[str, float]]  # loss, accuracy and margin of each step
    seconds: float

    def rewards(self, conversations: "Sequence[Messages]") -> "torch.Tensor":
        """The rewards of conversations, float32 (conversations,)."""
        import torch

        rows = [render(self.tokenizer, messages) for messages in conversations]
        # As in training: up to the end of the last turn, without the template's newline.
        rows = [ids[: len(mask) - mask[::-1].index(1)] for ids, mask in rows]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        found = torch.empty(len(rows))
        with torch.no_grad():
            for start in range(0, len(order), 64):
                at = order[start : start + 64]
                found[at] = self._rewards_of([rows[i] for i in at])
        return found

    def pair_rewards(self, pairs: Sequence[Pair]) -> "tuple[torch.Tensor, torch.Tensor]":
        """The rewards of the chosen and of the rejected responses, float32 (pairs,) each."""
        return (
            self.rewards([pair.chosen_messages for pair in pairs]),
            self.rewards([pair.rejected_messages for pair in pairs]),
        )

    def _rewards_of(self, rows: list[list[int]]) -> "torch.Tensor":
        import torch

        # One length at a time needs no padding, so it does not matter which token pads.
        found = torch.empty(len(rows))
        for length in {len(row) for row in rows}:
            at = [i for i, row in enumerate(rows) if len(row) == length]
            ids = torch.tensor([rows[i] for i in at], device=self.model.device)
            hidden = self.model.base_model(ids, use_cache=False).last_hidden_state[:, -1]
            found[at] = self.model.score(hidden)[:, 0].float().cpu()
        return found


def train_reward(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    pairs: Sequence[Pair],
    *,
    seed: int,
    epochs: float = 1.0,
    learning_rate: float = 1e-4,
    batch_size: int = 16,
    max_length: int = 512,
) -> RewardModel:
    """Train a reward model on pairs, starting from the body of `model`, which stays as it is.

    Raises CourseError when no pair is left within `max_length` tokens.
    """
    import torch

    from ift_course.models.quiet import quiet

    started = time.perf_counter()
    prepared = prepare_pairs(tokenizer, pairs, max_length)
    rows = [
        {name: row["prompt_ids"] + row[name] for name in ("chosen_ids", "rejected_ids")}
        for row in prepared.rows
    ]
    with quiet():
        from datasets import Dataset
        from trl import RewardConfig

        from ift_course.training.arguments import arguments, steps_of
        from ift_course.training.preference.trainers import ScoreTrainer
        from ift_course.training.trainer import run

        torch.manual_seed(seed)
        args = arguments(
            RewardConfig,
            steps=steps_of(len(rows), batch_size, epochs),
            output_dir=".",
            seed=seed,
            data_seed=seed,
            num_train_epochs=epochs,
            learning_rate=learning_rate,
            per_device_train_batch_size=batch_size,
            max_length=max_length,
        )
        trainer = ScoreTrainer(
            model=with_score(model),
            args=args,
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer,
        )
        run(trainer)
    history = [entry for entry in trainer.state.log_history if "loss" in entry]
    return RewardModel(trainer.model.eval(), tokenizer, history, time.perf_counter() - started)


def with_score(model: "PreTrainedModel") -> "PreTrainedModel":
    """A copy of the language model that gives one number instead of the next token's logits.

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
