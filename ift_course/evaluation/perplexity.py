"""How well a model predicts given texts: mean next-token loss and perplexity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ift_course.data.loss_mask import IGNORE
from ift_course.evaluation.generate import evaluating


@dataclass(frozen=True)
class TextLoss:
    """loss: mean cross-entropy in nats per predicted token. tokens: how many were predicted."""

    loss: float
    tokens: int

    @property
    def perplexity(self) -> float:
        """exp(loss): as unsure as if choosing evenly among this many tokens."""
        return math.exp(self.loss)


def text_loss(model, tokenizer, texts: Sequence[str], *, batch_size: int = 64) -> TextLoss:
    """Mean next-token loss of a model over all tokens of all texts but each text's first.

    Every token weighs the same, whatever text or batch it is in.
    Raises ValueError if no text has two tokens, as then nothing is predicted.
    """
    rows = sorted((tokenizer(text)["input_ids"] for text in texts), key=len)
    rows = [row for row in rows if len(row) > 1]
    if not rows:
        raise ValueError("No text has two tokens or more, so there is no next token to predict.")
    total, tokens = 0.0, 0
    with evaluating(model):
        for start in range(0, len(rows), batch_size):
            ids, mask = _right_padded(rows[start : start + batch_size], model.device)
            logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()
            labels = ids.masked_fill(mask == 0, IGNORE)[:, 1:]
            total += F.cross_entropy(
                logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORE, reduction="sum"
            ).item()
            tokens += int((labels != IGNORE).sum())
    return TextLoss(total / tokens, tokens)


def _right_padded(rows: list[list[int]], device) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=device)
    return ids, mask
