"""Load a GGUF file as a model of transformers."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.models.quiet import quiet

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase


def read_gguf(
    path: str | Path, config: PretrainedConfig | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load model and tokenizer, as `read_model` and `read_tokenizer` do."""
    return read_model(path, config), read_tokenizer(path)


def read_model(path: str | Path, config: PretrainedConfig | None = None) -> PreTrainedModel:
    """Load the model in float32, with its weights dequantized.

    transformers supports about twenty of llama.cpp's architectures, and needs the package `gguf`.

    Args:
        path: The file.
        config: The sizes of the model. None reads them from the file, where transformers ignores
            some, such as the head width of Qwen's models.
    """
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    path = Path(path)
    with _silent():
        model = AutoModelForCausalLM.from_pretrained(
            path.parent,
            gguf_file=path.name,
            dtype=torch.float32,
            quantization_config=GgufConfig(dequantize=True),
            **({"config": copy.deepcopy(config)} if config else {}),
        )
    # The weights are not quantized any more, so the model must not be saved as if they were.
    for own_config in (model.config, model.generation_config):
        for name in ("quantization_config", "_pre_quantization_dtype"):
            if hasattr(own_config, name):
                delattr(own_config, name)
    return model.eval()


def read_tokenizer(path: str | Path) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a file.

    A SentencePiece vocabulary is stored without its merges, and transformers computes them from the
    scores of the tokens: half a minute for the 262,144 tokens of Gemma.
    """
    from transformers import AutoTokenizer

    path = Path(path)
    with _silent():
        return AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Silence the libraries; the progress bar of the reader writes to stderr and has no switch."""
    with quiet(), contextlib.redirect_stderr(io.StringIO()):
        yield
