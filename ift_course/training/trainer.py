"""TRL's SFTTrainer without what a small model on a CPU pays for and does not use.

Imported only when training starts: trl and peft take seconds to load.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers import PrinterCallback, Trainer
from trl import SFTTrainer

from ift_course.data.loss_mask import IGNORE
from ift_course.training.labeled_logits import labeled_inputs, logits_where


class Quiet(Trainer):
    """A trainer that prints nothing, writes nothing beside the weights, and sends nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.remove_callback(PrinterCallback)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write no README.md, which TRL puts into every checkpoint: nobody reads it there."""

    def _send_telemetry(self) -> None:
        """Report to nobody: the course works offline."""


class ResponseTrainer(Quiet, SFTTrainer):
    """SFTTrainer on rows that are tokens and labels already, with the model's own loss.

    TRL's `compute_loss` also measures entropy and token accuracy at every step, and sends its
    projection through a loop over chunks made for large vocabularies on a GPU. The loss is the
    same: the mean cross-entropy of the labeled tokens (tests/parity/test_sft_loss.py).

    Args:
        chunked_loss: use TRL's loop after all, which never holds the logits of all tokens at once.
        labeled_only: compute logits only where there are labels (`labeled_logits`); for models
            whose loss is the same then.
        embedding_learning_rate: the peak rate of embedding and head; None means that of all others.
    """

    def __init__(
        self,
        *args: Any,
        chunked_loss: bool = False,
        labeled_only: bool = False,
        embedding_learning_rate: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.embedding_learning_rate = embedding_learning_rate
        self.tokens_seen = 0
        self.chunked_loss, self.labeled_only = chunked_loss, labeled_only
        if not chunked_loss:
            policy: Any = self.model
            restore_forward(policy)

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Return the mean cross-entropy of the batch's labeled tokens."""
        self.tokens_seen += _count_tokens(inputs)
        if self.chunked_loss:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        inputs = {**inputs, "use_cache": False}
        if not self.labeled_only:
            return Trainer.compute_loss(self, model, inputs, return_outputs, num_items_in_batch)
        inputs, mask = labeled_inputs(inputs)
        with logits_where(self.accelerator.unwrap_model(model), mask):
            return Trainer.compute_loss(self, model, inputs, return_outputs, num_items_in_batch)

    def create_optimizer(self, *args: Any, **kwargs: Any) -> torch.optim.Optimizer:
        """Create the optimizer of the arguments, with a group of its own for the embeddings."""
        optimizer = super().create_optimizer(*args, **kwargs)
        if self.embedding_learning_rate is not None:
            policy: Any = self.model
            modules = policy.get_input_embeddings(), policy.get_output_embeddings()
            embeddings = {id(p): p for module in modules for p in module.parameters()}
            for group in optimizer.param_groups:
                group["params"] = [p for p in group["params"] if id(p) not in embeddings]
            rest = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
            own = {"params": list(embeddings.values()), "lr": self.embedding_learning_rate}
            optimizer.add_param_group(rest | own)
        return optimizer

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler:
        rows: Any = self.train_dataset
        lengths = [len(ids) for ids in rows["input_ids"]]
        return SimilarLengths(lengths, self.args.train_batch_size, self.args.seed)


def _count_tokens(inputs: dict[str, torch.Tensor]) -> int:
    """Count the tokens of a batch that are not padding."""
    if "attention_mask" in inputs:
        return int(inputs["attention_mask"].sum())
    # Padding of packed sequences is a record that starts over and has no labels.
    starts = (inputs["position_ids"] == 0).cumsum(-1)
    last = starts == starts[:, -1:]
    padding = last & ~((inputs["labels"] != IGNORE) & last).any(-1, keepdim=True)
    return int((~padding).sum())


def restore_forward(model: torch.nn.Module) -> None:
    """Undo what trl and accelerate put in place of `model.forward`.

    Both bind a wrapper to the instance, so a `copy.deepcopy` of the model would continue to compute
    with the original's weights.
    """
    peft_model: Any = model
    base = peft_model.get_base_model() if hasattr(model, "get_base_model") else model
    for module in (model, base):
        vars(module).pop("forward", None)
        vars(module).pop("_original_forward", None)


class SimilarLengths(Sampler[int]):
    """A new random order in every epoch in which the rows of a batch have similar lengths.

    Sorting only within a window of some batches saves most of the padding and leaves the batches
    mixed. The order depends on seed and epoch alone, so a resumed run meets the same batches.

    Args:
        lengths: tokens of each row.
        batch_size: rows of a batch.
        seed: of the order.
    """

    WINDOW = 8  # batches

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lengths)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next; accelerate calls this."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        """Yield the numbers of the rows, batch after batch."""
        generator = torch.Generator().manual_seed(1_000_003 * self.seed + self.epoch)
        order = torch.randperm(len(self.lengths), generator=generator).tolist()
        size, window = self.batch_size, self.batch_size * self.WINDOW
        batches = []
        for start in range(0, len(order), window):
            rows = sorted(order[start : start + window], key=lambda row: self.lengths[row])
            batches += [rows[i : i + size] for i in range(0, len(rows), size)]
        # A short batch must come last, or all the batches after it would be cut elsewhere.
        short = [batches.pop()] if len(batches[-1]) < size else []
        shuffled = torch.randperm(len(batches), generator=generator).tolist()
        for batch in [*(batches[i] for i in shuffled), *short]:
            yield from batch
