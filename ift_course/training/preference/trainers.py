"""TRL's preference trainers without what a small model on a CPU pays for and does not use.

Imported only when training starts: trl and peft take seconds to load.
"""

from typing import Any

import torch
from datasets import Dataset
from torch.utils.data import Sampler
from transformers import PrinterCallback
from trl import DPOTrainer, RewardTrainer

from ift_course.training.trainer import SimilarLengths, restore_forward


class Quiet:
    """What all of them have in common: nothing is printed, written beside the weights, or sent."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.remove_callback(PrinterCallback)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """TRL writes a README.md into every checkpoint; a checkpoint is not for readers."""

    def _send_telemetry(self) -> None:
        """The course works offline and reports to nobody."""


class _Tokenized(Quiet):
    """Rows that are tokens already, those of a batch of like length."""

    def _prepare_dataset(self, dataset: Dataset, *args: Any) -> Dataset:
        return dataset

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler:
        lengths = [
            len(row.get("prompt_ids", [])) + max(len(row["chosen_ids"]), len(row["rejected_ids"]))
            for row in self.train_dataset
        ]
        return SimilarLengths(lengths, self.args.train_batch_size, self.args.seed)


class PairTrainer(_Tokenized, DPOTrainer):
    """DPOTrainer whose reference is what it was given, or the model itself as it is now.

    Left alone, DPOTrainer builds a reference from `config._name_or_path`: after an SFT in memory
    that is the base model on the disk. Here the reference's log-probabilities are computed once,
    before the first step and before a checkpoint is taken up, and then they are only numbers:
    nothing that is trained later can move them.
    """

    def _precompute_ref_logps(self, dataset: Dataset, name: str, batch_size: int) -> Dataset:
        reference = self.ref_model or self.model
        order = list(self._get_train_sampler())
        found = torch.empty(2, len(order))
        training = reference.training
        reference.eval()
        for start in range(0, len(order), batch_size):
            at = order[start : start + batch_size]
            batch = self.data_collator([dataset[i] for i in at])
            batch = {key: tensor.to(self.args.device) for key, tensor in batch.items()}
            chosen, rejected = self.compute_ref_log_probs(reference, batch)
            found[0, at], found[1, at] = chosen.float().cpu(), rejected.float().cpu()
        reference.train(training)
        if self.ref_model is not None:
            restore_forward(self.ref_model)
            self.ref_model = None  # its work is done
        return dataset.add_column("ref_chosen_logps", found[0].tolist()).add_column(
            "ref_rejected_logps", found[1].tolist()
        )


class ScoreTrainer(_Tokenized, RewardTrainer):
    """RewardTrainer on chosen_ids and rejected_ids, prompt included."""
