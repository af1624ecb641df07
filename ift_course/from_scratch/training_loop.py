"""The bare training loop: what the trainer of every library does underneath."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


def learning_rate_at(step: int, steps: int, peak: float, warmup: int) -> float:
    """Return the learning rate of a step: linear warm-up to the peak, then linear decay to zero.

    Args:
        step: The step, counted from 0.
        steps: The length of the whole schedule.
        peak: The highest learning rate.
        warmup: The number of warm-up steps.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (steps - step) / max(1, steps - warmup)


def adamw(model: torch.nn.Module, weight_decay: float = 0.1) -> torch.optim.AdamW:
    """Return AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101) for the trainable parameters.

    Args:
        model: The model to train.
        weight_decay: The decay of the matrices. Vectors, which are norms and biases, are not
            decayed, as is usual.
    """
    import torch

    matrices = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    vectors = [p for p in model.parameters() if p.requires_grad and p.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.95), fused=True)


def train(
    model: PreTrainedModel,
    batches: Iterable[dict[str, torch.Tensor]],
    *,
    steps: int,
    learning_rate: float,
    warmup: int = 0,
    bf16: bool = False,
    optimizer: torch.optim.Optimizer | None = None,
    start: int = 0,
    on_step: Callable[[int, float], None] | None = None,
) -> list[float]:
    """Train a model in place, one optimizer step per batch.

    Args:
        model: A causal language model of transformers, which shifts the labels itself.
        batches: `input_ids` and `labels`, int64 of shape (batch, length), with the label -100 where
            the loss ignores a token, and `attention_mask` of the same shape if there is padding.
            The first batch belongs to step `start`.
        steps: The length of the whole schedule. Training ends there, or when the batches run out.
        learning_rate: The peak of the schedule.
        warmup: The number of warm-up steps before the peak.
        bf16: Compute matrix products in bfloat16 (autocast).
        optimizer: The optimizer of a checkpoint, to resume training; None makes a new one.
        start: The step to resume from.
        on_step: Called after each step with the number of completed steps and the loss.

    Returns:
        The loss of each step, in nats per predicted token.
    """
    import torch

    model.train()
    optimizer = optimizer or adamw(model)
    device = next(model.parameters()).device
    losses: list[float] = []
    for step, batch in zip(range(start, steps), batches, strict=False):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate_at(step, steps, learning_rate, warmup)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
            loss = model(**{name: t.to(device) for name, t in batch.items()}).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        if on_step:
            on_step(step + 1, losses[-1])
    return losses


def text_batches(
    ids: torch.Tensor, *, batch_size: int, length: int, start: int = 0
) -> Iterator[dict[str, torch.Tensor]]:
    """Cut a long text into batches for next-token prediction.

    The labels are the inputs themselves: every token is predicted from the tokens before it.

    Args:
        ids: The token ids of the text, shape (tokens,).
        batch_size: Sequences per batch.
        length: Tokens per sequence.
        start: The first batch to yield; earlier batches are skipped.

    Yields:
        `input_ids` and `labels`, int64 of shape (batch_size, length). Tokens at the end that do not
        fill a batch are left out.
    """
    size = batch_size * length
    for offset in range(start * size, len(ids) - size + 1, size):
        sequences = ids[offset : offset + size].view(batch_size, length).long()
        yield {"input_ids": sequences, "labels": sequences}
