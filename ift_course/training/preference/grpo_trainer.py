"""TRL's GRPOTrainer, quiet and quick. Imported only when training starts."""

from collections.abc import Callable
from typing import Any

import torch
from transformers import TrainerCallback
from trl import GRPOTrainer

from ift_course.training.preference.trainers import Quiet


class GroupTrainer(Quiet, GRPOTrainer):
    """GRPOTrainer that computes log-probabilities in one piece.

    TRL's kernel for large vocabularies on a GPU takes three times as long on a CPU; what comes out
    is the same (tests/parity/test_preference_losses.py).
    """

    def _get_per_token_logps_and_entropies(
        self, model, input_ids, attention_mask, logits_to_keep: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor, None]:
        with self.accelerator.autocast():
            logits = model(
                input_ids,
                attention_mask=attention_mask,
                logits_to_keep=logits_to_keep + 1,
                use_cache=False,
            ).logits
        log_p = (logits[:, :-1].float() / self.temperature).log_softmax(-1)
        said = input_ids[:, -logits_to_keep:]
        with torch.no_grad():
            entropies = -(log_p.exp() * log_p).sum(-1)
        return log_p.gather(-1, said[..., None])[..., 0], entropies, None


class OnStep(TrainerCallback):
    """Shows the policy to a function before the first step and after each."""

    def __init__(self, call: Callable):
        self.call = call

    def on_train_begin(self, args, state, control, model=None, **kwargs):
        self.call(0, model)

    def on_step_end(self, args, state, control, model=None, **kwargs):
        self.call(state.global_step, model)
        model.train()
