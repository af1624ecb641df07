"""A model in evaluation mode, and afterwards as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Put a model in evaluation mode without gradients, and restore its mode afterwards."""
    import torch

    training = model.training
    model.eval()
    try:
        with torch.no_grad(), _unfrozen_head(model):
            yield
    finally:
        model.train(training)


@contextmanager
def _unfrozen_head(model: torch.nn.Module) -> Iterator[None]:
    """Let PyTorch multiply with the output matrix once, and not once for each row of a batch.

    The logits of the last position alone are computed from a slice that is not contiguous. If the
    matrix is frozen, PyTorch 2.13 copies it for each row of the batch first (`should_fold` in
    ATen/native/LinearAlgebra.cpp): 670 MB a row with 262,144 words of 640 numbers. Without
    gradients, whether it is frozen makes no other difference.
    """
    head = getattr(model, "get_output_embeddings", lambda: None)()
    weight = getattr(head, "weight", None)
    if weight is None or weight.requires_grad or not weight.is_floating_point():
        yield
        return
    weight.requires_grad_(True)
    try:
        yield
    finally:
        weight.requires_grad_(False)
