"""How the layers of each model family are built, as far as it changes the memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Layout:
    """The matrices of a layer by name, each with its outputs, which name sizes of `Shape`.

    Attributes:
        attention: The matrices that read the normed hidden state for the attention.
        attention_out: The matrix after the attention.
        mlp: The matrices that read the normed hidden state for the MLP; two outputs in all are a
            gated MLP.
        mlp_out: The last matrix of the MLP.
        norms: Norms of the hidden state in one layer.
        centered: The norms are LayerNorm, with a weight and a bias, instead of RMSNorm.
        query_key_norm: Queries and keys are normed, each head by itself.
        biased: Every matrix of a layer has a bias.
        head_bias: The head has a bias.
        mlp_saved: How many tensors of the MLP's width the backward pass needs between its matrices,
            the input of `mlp_out` not counted.
    """

    attention: Mapping[str, tuple[str, ...]]
    attention_out: str
    mlp: Mapping[str, tuple[str, ...]]
    mlp_out: str
    norms: int = 2
    centered: bool = False
    query_key_norm: bool = False
    biased: bool = False
    head_bias: bool = False
    mlp_saved: int = 3

    @property
    def fused(self) -> bool:
        """Whether one matrix computes queries, keys and values."""
        return len(self.attention) == 1


LLAMA = Layout(
    attention={"q_proj": ("q",), "k_proj": ("kv",), "v_proj": ("kv",)},
    attention_out="o_proj",
    mlp={"gate_proj": ("intermediate",), "up_proj": ("intermediate",)},
    mlp_out="down_proj",
)
PHI3 = replace(
    LLAMA,
    attention={"qkv_proj": ("q", "kv", "kv")},
    mlp={"gate_up_proj": ("intermediate", "intermediate")},
)
GPT2 = Layout(
    attention={"c_attn": ("q", "kv", "kv")},
    attention_out="attn.c_proj",
    mlp={"c_fc": ("intermediate",)},
    mlp_out="mlp.c_proj",
    centered=True,
    biased=True,
    mlp_saved=4,  # "gelu_new" is written in Python: x, x/2, tanh and 1 + tanh
)
# model_type in config.json -> layout
LAYOUTS = {
    "llama": LLAMA,
    "mistral": LLAMA,
    "qwen2": LLAMA,
    "qwen3": replace(LLAMA, query_key_norm=True),
    "gemma": LLAMA,
    "gemma3_text": replace(LLAMA, norms=4, query_key_norm=True),
    "phi3": PHI3,
    "phi": Layout(
        attention={"q_proj": ("q",), "k_proj": ("kv",), "v_proj": ("kv",)},
        attention_out="dense",
        mlp={"fc1": ("intermediate",)},
        mlp_out="fc2",
        norms=1,  # attention and MLP share one
        centered=True,
        biased=True,
        head_bias=True,
        mlp_saved=4,
    ),
    "gpt2": GPT2,
    "gpt_neox": replace(
        GPT2,
        attention={"query_key_value": ("q", "kv", "kv")},
        attention_out="attention.dense",
        mlp={"dense_h_to_4h": ("intermediate",)},
        mlp_out="dense_4h_to_h",
        mlp_saved=1,  # "gelu" is one kernel
    ),
}
