"""The training loop, bare: what every trainer of every library does underneath."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def learning_rate_at(step: int, steps: int, peak: float, warmup: int) -> float:
    """Linear warm-up to ``peak``, then linear decay to zero."""
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (steps - step) / max(1, steps - warmup)


def adamw(model: torch.nn.Module, weight_decay: float = 0.1) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019); norms are left out of the decay, as is usual."""
    import torch

    matrices = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    vectors = [p for p in model.parameters() if p.requires_grad and p.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.95), fused=True)


def train(
    model: torch.nn.Module,
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
    """Train ``model`` in place, one optimizer step a batch, and return the losses in nats.

    Args:
        model: a Hugging Face causal language model; it shifts the labels itself.
        batches: ``input_ids`` and ``labels``, int64 of shape (batch, length), -100 where the loss
            ignores a token; ``attention_mask`` of the same shape if rows are padded. The first
            batch is that of step ``start``.
        steps: length of the whole schedule; training ends there or when the batches do.
        learning_rate: the peak of the schedule.
        warmup: steps until the peak is reached.
        bf16: autocast matrix products to bfloat16.
        optimizer: pass one to go on from a checkpoint.
        start: the step to go on from.
        on_step: called after each step with the number of steps done and the loss.
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
    """Cut a long run of token ids, shape (tokens,), into batches for next-token prediction.

    Labels are the inputs themselves: every token is to be predicted from those before it.
    """
    size = batch_size * length
    for offset in range(start * size, len(ids) - size + 1, size):
        rows = ids[offset : offset + size].view(batch_size, length).long()
        yield {"input_ids": rows, "labels": rows}
