"""Weights of a model as the playground stores them: a byte each, as JavaScript in parts.

A page that is read from the disk may not fetch files, but it may load scripts. So the bytes are
written as base64 into scripts, several for each model, which lets the page show its progress.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PART = 750_000  # characters of base64 in a script
# Eight bits could hold 127. With 50, the files are 13 and 23 % smaller than with 100, and the
# assistant answers as many of 200 exam questions correctly as it does without rounding.
LARGEST = 50
# The base's scales leave room for tuning: where a tuned row fits, it keeps the base's scale, and
# its difference from the base is a row of small whole numbers.
ROOM = 1.03
LAYER = (
    "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
    "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
)  # fmt: skip


@dataclass(frozen=True)
class Quantized:
    """A model's weights.

    Attributes:
        gains: Of its norms, float32 of shape (norms, width).
        scales: For each matrix, float32 of shape (rows,).
        codes: For each matrix, int8 of shape (rows, columns). Times the scales, they are the
            weights.
    """

    gains: np.ndarray
    scales: list[np.ndarray]
    codes: list[np.ndarray]


def quantize(model: PreTrainedModel, origin: Quantized | None = None) -> Quantized:
    """Round every matrix to whole numbers, row by row; `origin` is the model it was tuned from."""
    state = model.state_dict()
    gains = np.stack([_array(state[name]) for name in gain_names(model.config)])
    scales, codes = [], []
    for index, name in enumerate(matrix_names(model.config)):
        matrix = _array(state[name])
        largest = np.abs(matrix).max(axis=1)
        if origin is None:
            scale = largest * ROOM / LARGEST
        else:
            kept = origin.scales[index]
            scale = np.where(largest <= kept * LARGEST, kept, largest / LARGEST)
        scale = np.maximum(scale, 1e-12).astype(np.float32)
        scales.append(scale)
        codes.append(np.rint(matrix / scale[:, None]).clip(-LARGEST, LARGEST).astype(np.int8))
    return Quantized(gains, scales, codes)


def dequantized(model: PreTrainedModel, weights: Quantized) -> dict[str, torch.Tensor]:
    """The state of `model` with its matrices replaced by what the playground computes with."""
    import torch

    state = dict(model.state_dict())
    for name, scale, code in zip(
        matrix_names(model.config), weights.scales, weights.codes, strict=True
    ):
        state[name] = torch.from_numpy(code.astype(np.float32) * scale[:, None])
    return state


def scripts(name: str, weights: Quantized, origin: Quantized | None = None) -> list[str]:
    """The scripts that hand a model to the page, a part each.

    Args:
        name: Of the model.
        weights: Of the model.
        origin: What it was tuned from, if only the difference is to be stored.
    """
    codes = weights.codes
    if origin is not None:  # modulo 256
        codes = [a - b for a, b in zip(codes, origin.codes, strict=True)]
    arrays = [weights.gains, *weights.scales, *codes]
    packed = gzip.compress(b"".join(x.tobytes() for x in arrays), 9, mtime=0)
    text = b64encode(packed).decode()
    parts = [text[i : i + PART] for i in range(0, len(text), PART)]
    return [
        f"iftPlayground.part[{json.dumps(name)}]({i},{json.dumps(part)});\n"
        for i, part in enumerate(parts)
    ]


def description(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """What the page has to know of a model and its tokenizer, besides the weights.

    Raises:
        ValueError: The forward pass in JavaScript is not written for such a model.
    """
    config: Any = model.config
    heads = config.num_attention_heads
    if (
        config.model_type != "llama"
        or config.num_key_value_heads != heads
        or config.head_dim * heads != config.hidden_size
        or not config.tie_word_embeddings
    ):
        raise ValueError(
            "The playground runs only Llamas with tied embeddings and without shared heads."
        )
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "head_dim", "vocab_size",
             "rms_norm_eps", "eos_token_id")  # fmt: skip
    backend = json.loads(getattr(tokenizer, "backend_tokenizer").to_str())  # noqa: B009
    vocabulary = backend["model"]["vocab"]
    special = {x["content"]: x["id"] for x in backend["added_tokens"]}
    return {
        "config": {name: getattr(config, name) for name in names}
        | {
            "rope_theta": config.rope_parameters["rope_theta"],
            "stops": [special["<|endoftext|>"], special["<|im_end|>"]],
        },
        "tokenizer": {
            "vocabulary": sorted(vocabulary, key=vocabulary.__getitem__),
            "merges": [" ".join(pair) for pair in backend["model"]["merges"]],
            "special": special,
        },
    }


def gain_names(config: Any) -> list[str]:
    """Names of the norms, in the order of the file."""
    layers = [
        f"model.layers.{i}.{name}.weight"
        for i in range(config.num_hidden_layers)
        for name in ("input_layernorm", "post_attention_layernorm")
    ]
    return ["model.norm.weight", *layers]


def matrix_names(config: Any) -> list[str]:
    """Names of the matrices, in the order of the file."""
    layers = [
        f"model.layers.{i}.{name}.weight" for i in range(config.num_hidden_layers) for name in LAYER
    ]
    return ["model.embed_tokens.weight", *layers]


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()
