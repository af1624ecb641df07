"""TRL's GRPOTrainer, quiet and quick. Imported only when training starts."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from transformers import (
    PreTrainedModel,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl import GRPOTrainer

from ift_course.training.trainer import Quiet


class GroupTrainer(Quiet, GRPOTrainer):
    """GRPOTrainer that computes log-probabilities in one piece.

    TRL's kernel for large vocabularies on a GPU takes three times as long on a CPU; the result is
    the same (tests/parity/test_preference_losses.py).

    The reference of its KL penalty is the policy as it is now. Left alone, GRPOTrainer loads it
    from `config._name_or_path`, which after an SFT in memory is the base model on the disk.

    Args:
        beta: The weight of the KL penalty; `args.beta` has to be 0.
    """

    def __init__(self, *args: Any, beta: float = 0.0, **kwargs: Any) -> None:
        # A copy made later would share the `forward` that the trainer puts on the model.
        reference = copy.deepcopy(kwargs["model"]) if beta else None
        super().__init__(*args, **kwargs)
        if reference is not None:
            self.beta = beta
            self.ref_model = reference.eval().requires_grad_(False)

    def _get_per_token_logps_and_entropies(
        self,
        model: PreTrainedModel,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        *args: Any,
        **kwargs: Any,
    ) -> tuple[torch.Tensor, torch.Tensor, None]:
        with self.accelerator.autocast():
            logits = model(
                input_ids,
                attention_mask=attention_mask,
                logits_to_keep=logits_to_keep + 1,
                use_cache=False,
            ).logits
        logps = (logits[:, :-1].float() / self.temperature).log_softmax(-1)
        completions = input_ids[:, -logits_to_keep:]
        with torch.no_grad():
            entropies = -(logps.exp() * logps).sum(-1)
        return logps.gather(-1, completions[..., None])[..., 0], entropies, None


class OnStep(TrainerCallback):
    """Passes the policy to a function before the first step and after each.

    Args:
        call: is given the number of steps taken and the model.
    """

    def __init__(self, call: Callable[[int, PreTrainedModel], None]) -> None:
        self.call = call

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Pass the policy as it starts."""
        self.call(0, kwargs["model"])

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Pass the policy, and put it back into training mode."""
        self.call(state.global_step, kwargs["model"])
        kwargs["model"].train()
