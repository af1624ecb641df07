"""How well a model predicts responses: the mean loss on each record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F

from ift_course.data.eval_mode import evaluating
from ift_course.data.labeling import label_records
from ift_course.data.loss_mask import IGNORE

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.data.records import Record

MAX_LOGITS = 2**27  # numbers in one batch's logits: half a gigabyte in float32


def response_losses(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    records: Sequence[Record],
    *,
    max_length: int,
) -> list[float]:
    """Return the mean loss on the response tokens of every record, in nats per token.

    It is what SFT minimizes, but here every record has the same weight, so that two models can be
    compared record by record. A record whose response begins after `max_length` tokens, or which
    the chat template cannot write, gives NaN.

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer, with a chat template.
        records: The conversations.
        max_length: In tokens; longer records are cut off.
    """
    losses = [math.nan] * len(records)
    labeled: list[tuple[int, list[int], list[int]]] = []
    for i, record in enumerate(records):
        for ids, labels in label_records(tokenizer, [record], lambda *_: None):
            if any(label != IGNORE for label in labels[1:max_length]):
                labeled.append((i, ids[:max_length], labels[:max_length]))
    labeled.sort(key=lambda row: len(row[1]))
    config: Any = model.config.get_text_config()
    budget = MAX_LOGITS // config.vocab_size  # in tokens, padding included
    with evaluating(model):
        while labeled:
            n_rows = max(1, sum(len(row[1]) * (i + 1) <= budget for i, row in enumerate(labeled)))
            batch, labeled = labeled[:n_rows], labeled[n_rows:]
            ids, mask = right_padded([row[1] for row in batch], model.device)
            labels, _ = right_padded([row[2] for row in batch], model.device)
            labels = labels.masked_fill(mask == 0, IGNORE)[:, 1:]
            logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()
            token_losses = F.cross_entropy(
                logits.transpose(1, 2), labels, ignore_index=IGNORE, reduction="none"
            )
            means = token_losses.sum(1) / (labels != IGNORE).sum(1)
            for (i, *_), loss in zip(batch, means.tolist(), strict=True):
                losses[i] = loss
    return losses


def right_padded(rows: list[list[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and attention mask, int64 of shape (texts, longest)."""
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=device)
    return ids, mask
