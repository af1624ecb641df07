"""Low-rank adaptation by hand: Hu et al. 2021 (LoRA), arXiv:2106.09685, section 4."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import nn
from torch.nn import functional as F


class LoraLinear(nn.Module):
    """A frozen linear layer and a trained detour: y = W x + (alpha / rank) · B A dropout(x).

    A has shape (rank, in), B has shape (out, rank). B begins at zero, so that the model begins as
    it was; A must not, or neither would ever get a gradient.

    base: any module that maps (..., in) to (..., out): `nn.Linear`, or a 4-bit layer. Only a layer
        with ordinary weights can be merged.
    """

    def __init__(self, base: nn.Module, rank: int, alpha: float, dropout: float = 0.0):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.A = nn.Parameter(torch.empty(rank, base.in_features))
        self.B = nn.Parameter(torch.zeros(base.out_features, rank))
        self.scale = alpha / rank
        self.dropout = nn.Dropout(dropout)
        self.merged = False
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))  # what nn.Linear itself begins with

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.merged:
            return self.base(x)
        detour = F.linear(F.linear(self.dropout(x), self.A), self.B)
        return self.base(x) + self.scale * detour

    def delta(self) -> torch.Tensor:
        """What the detour adds to the weights, shape (out, in): of rank `rank` at most."""
        return self.scale * (self.B @ self.A)

    @torch.no_grad()
    def merge(self) -> None:
        """Add the detour to the weights: the same function at the old cost. Twice does nothing."""
        if not self.merged:
            # Summed in float32 and rounded once: a half-precision sum would lose small updates.
            self.base.weight.copy_(self.base.weight.float() + self.delta())
            self.merged = True

    @torch.no_grad()
    def unmerge(self) -> None:
        """Take it out again. Equal to the weights before merging up to rounding."""
        if self.merged:
            self.base.weight.copy_(self.base.weight.float() - self.delta())
            self.merged = False


def add_lora(
    model: nn.Module, rank: int, alpha: float, targets: Sequence[str], dropout: float = 0.0
) -> nn.Module:
    """Freeze `model` and put a `LoraLinear` around every layer whose last name is in `targets`.

    Changes the model in place and returns it. Raises ValueError when no layer has such a name.
    """
    model.requires_grad_(False)
    found = [name for name, _ in model.named_modules() if name.rpartition(".")[2] in targets]
    if not found:
        raise ValueError(f"No layer is called {' or '.join(targets)}.")
    for name in found:
        parent, _, last = name.rpartition(".")
        layer = LoraLinear(model.get_submodule(name), rank, alpha, dropout)
        setattr(model.get_submodule(parent), last, layer)
    return model


def lora_layers(model: nn.Module) -> Iterator[tuple[str, LoraLinear]]:
    """The adapted layers with their names."""
    return ((name, m) for name, m in model.named_modules() if isinstance(m, LoraLinear))


def merge_lora(model: nn.Module) -> nn.Module:
    """Merge every adapter and take the wrappers off, in place: an ordinary model is left."""
    for name, layer in list(lora_layers(model)):
        layer.merge()
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, layer.base)
    return model
