"""The few numbers of a model that decide how much memory it takes: from a name or a config.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ift_course.errors import CourseError
from ift_course.paths import assets_dir

# Layers of these are all built alike: RMSNorm, grouped attention, a gated MLP of three matrices.
LLAMA_LIKE = ("llama", "mistral", "qwen2", "qwen3")
SIZES = (
    "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
)  # fmt: skip
WITH_QUERY_KEY_BIAS = ("qwen2",)
WITH_QUERY_KEY_NORM = ("qwen3",)


@dataclass(frozen=True)
class Shape:
    """A Llama-like language model in numbers. `heads * head_dim` need not be `hidden`."""

    name: str
    vocab: int
    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    tied: bool  # one matrix is both the embedding and the head
    query_key_norm: bool = False
    biases: tuple[str, ...] = ()  # linear layers that add a bias

    @property
    def q(self) -> int:
        """Numbers of a token's query, over all heads."""
        return self.heads * self.head_dim

    @property
    def kv(self) -> int:
        """Numbers of a token's key; its value has as many."""
        return self.kv_heads * self.head_dim

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """The seven matrices of one layer: name -> (in, out)."""
        h, f = self.hidden, self.intermediate
        return {
            "q_proj": (h, self.q), "k_proj": (h, self.kv), "v_proj": (h, self.kv),
            "o_proj": (self.q, h), "gate_proj": (h, f), "up_proj": (h, f), "down_proj": (f, h),
        }  # fmt: skip

    @property
    def matrix_parameters(self) -> int:
        """Of the seven matrices of one layer."""
        return sum(i * o for i, o in self.linears.values())

    @property
    def small_parameters(self) -> int:
        """Norms and biases of one layer."""
        norms = 2 * self.hidden + (2 * self.head_dim if self.query_key_norm else 0)
        return norms + sum(self.linears[name][1] for name in self.biases)

    @property
    def vocab_parameters(self) -> int:
        """Of the embedding; the head, unless tied, has as many again."""
        return self.vocab * self.hidden

    @property
    def ends(self) -> int:
        """How many matrices of vocabulary × hidden there are."""
        return 1 if self.tied else 2

    @property
    def parameters(self) -> int:
        layer = self.matrix_parameters + self.small_parameters
        return self.layers * layer + self.ends * self.vocab_parameters + self.hidden


def shape_of(model: str | Path) -> Shape:
    """The shape of a shipped name (in any case), a config.json, or a model folder.

    Raises CourseError when there is no such thing, or its layers are not like Llama's.
    """
    path = Path(model).expanduser()
    name = {x.lower(): x for x in names()}.get(_plain(str(model)))
    if name and not path.exists():
        return from_config(shipped()["models"][name], name)
    if path.is_dir():
        path = path / "config.json"
    if not path.is_file():
        raise CourseError(
            f'There is no model "{model}": give a config.json, a model folder, or one of '
            f"{', '.join(names())}."
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise CourseError(f"{path} is damaged (not valid JSON); copy it again.") from None
    return from_config(config, path.parent.resolve().name, path)


def _plain(name: str) -> str:
    """meta-llama/Meta-Llama-3.1-8B-Instruct -> llama-3.1-8b: a chat model is shaped as its base."""
    name = name.rpartition("/")[2].lower().removeprefix("meta-")
    return name.removesuffix("-instruct").removesuffix("-base")


def names() -> list[str]:
    """The models whose numbers are shipped with the course."""
    return list(shipped()["models"])


@cache
def shipped() -> dict[str, Any]:
    """The file of shipped numbers: `models` by name, and `where` they were read."""
    return json.loads((assets_dir() / "models.json").read_text(encoding="utf-8"))


def from_config(config: dict[str, Any], name: str, where: str | Path = "config.json") -> Shape:
    """The shape told by a Hugging Face config. Raises CourseError if it is not a Llama-like one."""
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind not in LLAMA_LIKE:
        raise CourseError(
            f"{where} describes a model of type {kind}; the ledger knows those with layers like "
            f"Llama's ({', '.join(LLAMA_LIKE)})."
        )
    sizes = _sizes(config, where)
    heads, hidden = sizes["num_attention_heads"], sizes["hidden_size"]
    biases = ("q_proj", "k_proj", "v_proj") if kind in WITH_QUERY_KEY_BIAS else ()
    if config.get("attention_bias"):
        biases = ("q_proj", "k_proj", "v_proj", "o_proj")
    if config.get("mlp_bias"):
        biases += ("gate_proj", "up_proj", "down_proj")
    return Shape(
        name=name,
        vocab=sizes["vocab_size"],
        hidden=hidden,
        intermediate=sizes["intermediate_size"],
        layers=sizes["num_hidden_layers"],
        heads=heads,
        kv_heads=config.get("num_key_value_heads") or heads,
        head_dim=config.get("head_dim") or hidden // heads,
        tied=bool(config.get("tie_word_embeddings", False)),
        query_key_norm=kind in WITH_QUERY_KEY_NORM,
        biases=biases,
    )


def _sizes(config: dict[str, Any], where: str | Path) -> dict[str, int]:
    sizes = {name: config.get(name) for name in SIZES}
    for name, size in sizes.items():
        if not isinstance(size, int) or size < 1:
            raise CourseError(
                f"{where} has no usable {name} (it says {size}); copy the model's config.json "
                "again."
            )
    return sizes
