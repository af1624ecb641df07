"""How well a model predicts texts: mean next-token loss and perplexity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from ift_course.data.eval_mode import evaluating
from ift_course.data.loss_mask import IGNORE

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class TextLoss:
    """The loss of a model on texts.

    Attributes:
        loss: Mean cross-entropy, in nats per predicted token.
        tokens: The number of predicted tokens.
    """

    loss: float
    tokens: int

    @property
    def perplexity(self) -> float:
        """exp(loss): the model is as unsure as if it chose evenly among this many tokens."""
        return math.exp(self.loss)


def text_loss(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    batch_size: int = 64,
) -> TextLoss:
    """Return the mean next-token loss over all tokens of all texts except each text's first.

    Every token has the same weight, whatever text or batch it is in.

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer.
        texts: The texts to predict.
        batch_size: Texts per forward pass.

    Raises:
        ValueError: No text has two tokens, so nothing is predicted.
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


def _right_padded(rows: list[list[int]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and attention mask, int64 of shape (texts, longest)."""
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=device)
    return ids, mask
