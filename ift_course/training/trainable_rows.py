"""PEFT's trained embedding rows, computed row by row instead of through a copy of the matrix.

Beside LoRA, PEFT trains single rows of an embedding (`trainable_token_indices`). In every forward
pass it copies the whole matrix to put them in, once as the embedding and once as the tied head, and
the backward pass makes a gradient of the same size, of which it keeps those rows. For two rows of
Gemma's 262,144 that is four matrices of 0.7 GB. Here the frozen matrix is used as it is, and what
the trained rows give replaces their part of the result: the same numbers (tests/parity).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from peft.tuners.trainable_tokens.layer import TrainableTokensLayer
from peft.utils.other import TrainableTokensWrapper


class RowByRow(TrainableTokensLayer):
    """PEFT's layer with another way to compute the same result for a single active adapter."""

    def forward_adapters(
        self, x: torch.Tensor, active_adapters: list[str], *args: Any, **kwargs: Any
    ) -> torch.Tensor:
        """Return the embeddings of token ids, or the logits of hidden states.

        Args:
            x: int64 of shape (batch, length) for an embedding, float (..., hidden) for a head.
            active_adapters: The adapters that are switched on.
            args: Of the wrapped layer.
            kwargs: Of the wrapped layer.
        """
        base: Any = self.get_base_layer()
        is_known = isinstance(base, torch.nn.Embedding | torch.nn.Linear)
        if self.disable_adapters or self.merged or len(active_adapters) != 1 or not is_known:
            return super().forward_adapters(x, active_adapters, *args, **kwargs)
        index = torch.tensor(self.token_indices[active_adapters[0]], device=x.device)
        rows = self.trainable_tokens_delta[active_adapters[0]].to(base.weight)
        result = base(x, *args, **kwargs)
        if isinstance(base, torch.nn.Linear):
            bias = None if base.bias is None else base.bias[index]  # PEFT 0.21 leaves it out
            columns = torch.nn.functional.linear(x, rows, bias)
            # In place: the backward pass of a frozen matrix does not need its result.
            return result.index_copy_(-1, index, columns.to(result.dtype))
        scale = self._get_embed_scale()  # Gemma multiplies its embeddings by a constant
        if scale is not None:
            rows = rows * scale.to(rows.dtype)
        matches = x[..., None] == index
        replacement = rows[matches.long().argmax(-1)]
        return torch.where(matches.any(-1, keepdim=True), replacement, result)


class WithBias(TrainableTokensWrapper):
    """PEFT's wrapper of an output matrix, which passes on its weight and forgets its bias.

    TRL 1.16 multiplies with the weight and adds the bias itself, so that without this attribute
    plain TRL stops with an error, and so does `ift sft --chunked-loss`, which uses TRL's loss.
    """

    @property
    def bias(self) -> torch.Tensor | None:
        """The bias of the wrapped matrix, which is not trained."""
        matrix: Any = self.original_module
        return matrix.bias


SUBSTITUTES = {TrainableTokensLayer: RowByRow, TrainableTokensWrapper: WithBias}


@contextmanager
def row_by_row(model: torch.nn.Module) -> Iterator[None]:
    """Within the block, compute the trained rows of a model in the way of this module."""
    originals = [
        (module, type(module)) for module in model.modules() if type(module) in SUBSTITUTES
    ]
    for module, original in originals:
        module.__class__ = SUBSTITUTES[original]
    try:
        yield
    finally:
        for module, original in originals:
            module.__class__ = original
