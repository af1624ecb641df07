"""The embedding of a model, as other rooms ask about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from torch import nn
    from transformers import PreTrainedModel


def embedding_rows(model: PreTrainedModel | PeftModel) -> int:
    """Return the number of rows of a model's input embedding, which its tokenizer need not fill."""
    return cast("nn.Embedding", model.get_input_embeddings()).num_embeddings


def read_output_embedding(folder: str | Path) -> torch.Tensor | None:
    """Read the output embedding of a model from its files, without loading the model.

    transformers says which tensor it is, from a model without memory (on the device "meta").

    Args:
        folder: A model folder.

    Returns:
        A tensor of shape (vocabulary, hidden), or None if the folder has no weights in safetensors,
        no configuration that transformers knows, or a quantized matrix.
    """
    import torch
    from safetensors import safe_open
    from transformers import AutoConfig, AutoModelForCausalLM

    paths = sorted(Path(folder).glob("*.safetensors"))
    if not paths or not (Path(folder) / "config.json").exists():
        return None
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        with torch.device("meta"):
            model: Any = AutoModelForCausalLM.from_config(config)
    except (ValueError, KeyError, ImportError, OSError):
        return None
    # Tied matrices are stored once, under the name of either.
    matrices = [model.get_output_embeddings(), model.get_input_embeddings()]
    tied = bool(getattr(config.get_text_config(), "tie_word_embeddings", False))
    names = [
        f"{name}.weight"
        for matrix in (matrices if tied else matrices[:1])
        for name, module in model.named_modules()
        if module is matrix
    ]
    for path in paths:
        with safe_open(path, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - not a dict
                # Some checkpoints leave out the prefix of the whole model, and some add one.
                if any(name.endswith(key) or key.endswith(name) for name in names):
                    tensor = file.get_tensor(key)
                    return tensor if tensor.is_floating_point() and tensor.ndim == 2 else None
    return None
