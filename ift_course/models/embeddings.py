"""The embedding of a model, as other rooms ask about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from peft import PeftModel
    from torch import nn
    from transformers import PreTrainedModel


def embedding_rows(model: PreTrainedModel | PeftModel) -> int:
    """Return the number of rows of a model's input embedding, which its tokenizer need not fill."""
    return cast("nn.Embedding", model.get_input_embeddings()).num_embeddings
