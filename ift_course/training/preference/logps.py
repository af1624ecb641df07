"""The log-probabilities that a model gives to responses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from ift_course.data.loss_mask import collate
from ift_course.data.pairs import Pair
from ift_course.from_scratch.preference_losses import sequence_logps
from ift_course.training.preference.pairs import prepare_pairs, responses

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


Rows = Sequence[dict[str, list[int]]]  # input_ids and labels, as `pairs.responses` makes them


def batch_logps(model: PreTrainedModel, rows: Rows, pad_token_id: int = 0) -> torch.Tensor:
    """Return the log-probability of each row's labeled tokens.

    Args:
        model: a causal language model.
        rows: input_ids and labels.
        pad_token_id: masked, so that any token serves.

    Returns:
        float32 (rows,), in nats, with gradients.
    """
    batch = collate(rows, pad_token_id)
    batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
    labels = batch.pop("labels")
    return sequence_logps(model(**batch, use_cache=False).logits, labels)


@torch.no_grad()
def response_logps(model: PreTrainedModel, rows: Rows, pad_token_id: int = 0) -> torch.Tensor:
    """Return the same for any number of rows, on the CPU and without gradients."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]["input_ids"]))
    logps = torch.empty(len(rows))
    training = model.training
    model.eval()
    for start in range(0, len(order), 32):
        indices = order[start : start + 32]
        logps[indices] = batch_logps(model, [rows[i] for i in indices], pad_token_id).cpu()
    model.train(training)
    return logps


def pair_logps(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[Pair],
    max_length: int = 512,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the log-probabilities of chosen and rejected responses, float32 (pairs,) each."""
    rows = prepare_pairs(tokenizer, pairs, max_length).rows
    chosen, rejected = (responses(rows, which) for which in ("chosen", "rejected"))
    return response_logps(model, chosen), response_logps(model, rejected)
