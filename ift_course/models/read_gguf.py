"""Load a GGUF file as a model of transformers."""

from __future__ import annotations

import contextlib
import copy
import io
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.models.quiet import quiet

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase


def read_gguf(
    path: str | Path, config: PretrainedConfig | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load the model in float32, with its weights dequantized, and the tokenizer.

    transformers supports about twenty of llama.cpp's architectures, and needs the package `gguf`.

    Args:
        path: The file.
        config: The sizes of the model. None reads them from the file, where transformers ignores
            some, such as the head width of Qwen's models.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    path = Path(path)
    # The progress bar of the reader cannot be turned off; it writes to stderr.
    with quiet(), contextlib.redirect_stderr(io.StringIO()):
        model = AutoModelForCausalLM.from_pretrained(
            path.parent,
            gguf_file=path.name,
            dtype=torch.float32,
            quantization_config=GgufConfig(dequantize=True),
            **({"config": copy.deepcopy(config)} if config else {}),
        )
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    # The weights are not quantized any more, so the model must not be saved as if they were.
    for own_config in (model.config, model.generation_config):
        for name in ("quantization_config", "_pre_quantization_dtype"):
            if hasattr(own_config, name):
                delattr(own_config, name)
    return model.eval(), tokenizer
