"""A GGUF file as a model of transformers."""

import contextlib
import copy
import io
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.models.quiet import quiet

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase


def read_gguf(
    path: str | Path, config: "PretrainedConfig | None" = None
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """The model in float32, its 4-bit or other weights unpacked, and the tokenizer.

    transformers knows some twenty architectures of llama.cpp's, and needs the package `gguf`.

    Args:
        path: the file.
        config: the model's sizes; None reads them from the file, where transformers passes over
            some (the width of a head of Qwen's models).
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    path = Path(path)
    # The reader's progress bar has no switch; it writes to stderr.
    with quiet(), contextlib.redirect_stderr(io.StringIO()):
        model = AutoModelForCausalLM.from_pretrained(
            path.parent,
            gguf_file=path.name,
            dtype=torch.float32,
            quantization_config=GgufConfig(dequantize=True),
            **({"config": copy.deepcopy(config)} if config else {}),
        )
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    for config in (model.config, model.generation_config):
        for leftover in ("quantization_config", "_pre_quantization_dtype"):
            if hasattr(config, leftover):
                delattr(config, leftover)
    return model.eval(), tokenizer
