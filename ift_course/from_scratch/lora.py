"""Low-rank adaptation (LoRA) by hand.

Hu et al. 2021, *LoRA: Low-Rank Adaptation of Large Language Models*, arXiv:2106.09685, section 4.
The weights W of a layer are frozen. What is trained is a low-rank update of them, the product of
two small matrices B A. tests/parity/test_lora.py compares logits, gradients and merged weights
with those of PEFT.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F


class LoraLinear(nn.Module):
    """A frozen linear layer plus a trained low-rank update.

    It computes y = W x + b + (alpha / rank) · B A dropout(x), which is equation 3 of section 4.1
    with the scaling that the paper describes below it.

    Attributes:
        base: The frozen layer.
        A: The matrix that projects the input down, float32 of shape (rank, in). It starts random:
            if A and B were both zero, neither would ever get a gradient.
        B: The matrix that projects back up, float32 of shape (out, rank). It starts at zero, so
            that the model starts out computing what it computed before.
        scale: alpha / rank. The paper divides by the rank so that the learning rate does not have
            to be tuned again for every rank.
        dropout: Dropout on the input of A.
        merged: Whether the update is part of the base layer's weights at the moment.
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float, dropout: float = 0.0) -> None:
        """Freeze `base` and add a low-rank update to it.

        Args:
            base: A linear layer, or a 4-bit layer of bitsandbytes. Only a layer with ordinary
                weights can be merged.
            rank: The rank of the update; the paper's r.
            alpha: The numerator of the scale.
            dropout: The probability that an input number of A is dropped during training.
        """
        super().__init__()
        self.base = base.requires_grad_(False)
        self.A = nn.Parameter(torch.empty(rank, base.in_features))
        self.B = nn.Parameter(torch.zeros(base.out_features, rank))
        self.scale = alpha / rank
        self.dropout = nn.Dropout(dropout)
        self.merged = False
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))  # as nn.Linear initializes its weights

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map inputs of shape (..., in) to outputs of shape (..., out)."""
        if self.merged:
            return self.base(x)
        update = F.linear(F.linear(self.dropout(x), self.A), self.B)
        return self.base(x) + self.scale * update

    def delta(self) -> torch.Tensor:
        """Return the update as a matrix of shape (out, in), whose rank is at most `rank`."""
        return self.scale * (self.B @ self.A)

    @torch.no_grad()
    def merge(self) -> None:
        """Add the update to the base weights, so that the layer is as fast as it was before.

        Merging a merged layer does nothing.
        """
        if not self.merged:
            # The sum is computed in float32 and rounded once: a sum in half precision would lose
            # small updates.
            self.base.weight.copy_(self.base.weight.float() + self.delta())
            self.merged = True

    @torch.no_grad()
    def unmerge(self) -> None:
        """Subtract the update again, which restores the base weights up to rounding."""
        if self.merged:
            self.base.weight.copy_(self.base.weight.float() - self.delta())
            self.merged = False


def add_lora(
    model: nn.Module, rank: int, alpha: float, targets: Sequence[str], dropout: float = 0.0
) -> nn.Module:
    """Freeze a model and wrap its target layers in `LoraLinear`, in place.

    Args:
        model: The model to adapt.
        rank: The rank of every update.
        alpha: The numerator of the scale.
        targets: Names of linear layers, such as "q_proj": the last part of their full names.
        dropout: The dropout on the input of every update.

    Returns:
        The same model.

    Raises:
        ValueError: No layer has one of the names.
    """
    model.requires_grad_(False)
    names = [name for name, _ in model.named_modules() if name.rpartition(".")[2] in targets]
    if not names:
        raise ValueError(f"No layer is called {' or '.join(targets)}.")
    for name in names:
        parent, _, last = name.rpartition(".")
        linear = cast("nn.Linear", model.get_submodule(name))
        setattr(model.get_submodule(parent), last, LoraLinear(linear, rank, alpha, dropout))
    return model


def lora_layers(model: nn.Module) -> Iterator[tuple[str, LoraLinear]]:
    """Yield the name and the module of every adapted layer."""
    return ((name, m) for name, m in model.named_modules() if isinstance(m, LoraLinear))


def merge_lora(model: nn.Module) -> nn.Module:
    """Merge every update and remove the wrappers, in place; an ordinary model remains."""
    for name, layer in list(lora_layers(model)):
        layer.merge()
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, layer.base)
    return model
