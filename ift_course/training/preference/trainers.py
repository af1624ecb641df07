"""TRL's preference trainers without what a small model on a CPU pays for and does not use.

Imported only when training starts: trl and peft take seconds to load.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
from datasets import Dataset
from torch.utils.data import Sampler
from transformers import PreTrainedModel
from trl import DPOTrainer, RewardTrainer

from ift_course.data.loss_mask import IGNORE
from ift_course.from_scratch.preference_losses import dpo_loss, sequence_logps
from ift_course.training.labeled_logits import logits_where, next_labels
from ift_course.training.trainer import Quiet, SimilarLengths, restore_forward


class _Tokenized(Quiet):
    """Rows that are tokens already; those of a batch have similar lengths."""

    def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        return dataset

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler:
        rows: Any = self.train_dataset
        lengths = [
            len(row.get("prompt_ids", [])) + max(len(row["chosen_ids"]), len(row["rejected_ids"]))
            for row in rows
        ]
        return SimilarLengths(lengths, self.args.train_batch_size, self.args.seed)


class PairTrainer(_Tokenized, DPOTrainer):
    """DPOTrainer with our loss, and a reference that is the model as it is now, or one given.

    TRL sends its projection through a kernel made for large vocabularies on a GPU, and measures
    more than anyone reads. The loss by hand is the same (tests/parity) and takes a third of the
    time on a CPU.

    Left alone, DPOTrainer builds a reference from `config._name_or_path`: after an SFT in memory
    that is the base model on the disk. Here the reference's log-probabilities are computed once,
    before the first step and before a checkpoint is loaded, and after that they are only numbers:
    no later training can move them.

    Args:
        sft_weight: weight of the SFT loss on the chosen responses.
        labeled_only: compute logits only where there are labels (`labeled_logits`).
    """

    def __init__(
        self, *args: Any, sft_weight: float = 0.0, labeled_only: bool = False, **kwargs: Any
    ) -> None:
        # Before the rest: that computes the log-probabilities of the reference already.
        self.sft_weight, self.labeled_only = sft_weight, labeled_only
        super().__init__(*args, **kwargs)

    def _precompute_ref_logps(self, dataset: Dataset, name: str, batch_size: int) -> Dataset:
        reference: Any = self.ref_model or self.model
        order = list(self._get_train_sampler())
        logps = torch.empty(2, len(order))  # of the chosen and of the rejected responses
        training = reference.training
        reference.eval()
        for start in range(0, len(order), batch_size):
            indices = order[start : start + batch_size]
            batch = self.data_collator([dataset[i] for i in indices])
            batch = {key: tensor.to(self.args.device) for key, tensor in batch.items()}
            chosen, rejected = self.compute_ref_log_probs(reference, batch)
            logps[0, indices], logps[1, indices] = chosen.float().cpu(), rejected.float().cpu()
        reference.train(training)
        if self.ref_model is not None:
            restore_forward(self.ref_model)
            self.ref_model = None  # its work is done
        return dataset.add_column("ref_chosen_logps", logps[0].tolist()).add_column(
            "ref_rejected_logps", logps[1].tolist()
        )

    def compute_ref_log_probs(
        self, model: PreTrainedModel, inputs: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the reference's log-probabilities of the batch, float (pairs,) each, in nats."""
        # With an adapter the reference is the model without it.
        policy: Any = model
        off = policy.disable_adapter() if hasattr(policy, "disable_adapter") else nullcontext()
        with torch.no_grad(), off, self.accelerator.autocast():
            return self._logps(model, inputs)

    def _compute_loss(
        self,
        model: PreTrainedModel,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
    ) -> torch.Tensor:
        chosen, rejected = self._logps(model, inputs)
        references = inputs["ref_chosen_logps"], inputs["ref_rejected_logps"]
        terms = dpo_loss(chosen, rejected, *references, self.beta)
        policy: Any = self.model
        logged = self._metrics["train" if policy.training else "eval"]
        for name, value in {
            "rewards/chosen": terms.chosen_rewards.mean(),
            "rewards/rejected": terms.rejected_rewards.mean(),
            "rewards/margins": terms.margins.mean(),
            "rewards/accuracies": terms.accuracy,
            "logps/chosen": chosen.mean(),
            "logps/rejected": rejected.mean(),
        }.items():
            logged[name].append(float(torch.as_tensor(value).detach()))
        if not self.sft_weight:
            return terms.loss
        lengths = inputs["completion_mask"].sum(1).chunk(2)[0]
        return terms.loss - self.sft_weight * (chosen / lengths).mean()

    def _logps(
        self, model: PreTrainedModel, inputs: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        labels = inputs["input_ids"].masked_fill(inputs["completion_mask"] == 0, IGNORE)
        mask = inputs["attention_mask"]
        if not self.labeled_only:
            logits = model(inputs["input_ids"], attention_mask=mask, use_cache=False).logits
            chosen, rejected = sequence_logps(logits, labels).chunk(2)
            return chosen, rejected
        targets = next_labels(labels)
        is_labeled = targets != IGNORE
        with logits_where(self.accelerator.unwrap_model(model), is_labeled):
            logits = model(inputs["input_ids"], attention_mask=mask, use_cache=False).logits[0]
        token_logps = -torch.nn.functional.cross_entropy(
            logits.float(), targets[is_labeled], reduction="none"
        )
        zeros = token_logps.new_zeros(targets.shape)
        chosen, rejected = zeros.masked_scatter(is_labeled, token_logps).sum(-1).chunk(2)
        return chosen, rejected


class ScoreTrainer(_Tokenized, RewardTrainer):
    """RewardTrainer on chosen_ids and rejected_ids, prompt included."""
