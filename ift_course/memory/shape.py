"""The few numbers of a model that determine its memory, from a name or a config.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ift_course.errors import CourseError
from ift_course.memory.layouts import LAYOUTS, Layout
from ift_course.paths import assets_dir

SIZES = (
    "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
)  # fmt: skip
WITH_QUERY_KEY_BIAS = ("qwen2",)
# GPT-2 writes some sizes under names of its own.
OLD_NAMES = {
    "hidden_size": "n_embd", "num_hidden_layers": "n_layer", "num_attention_heads": "n_head",
    "intermediate_size": "n_inner",
}  # fmt: skip
# Families whose embedding is also the head if config.json does not say (transformers' default).
TIED_BY_DEFAULT = ("gemma", "gemma3_text", "gpt2")


@dataclass(frozen=True)
class Shape:
    """A language model in numbers.

    Attributes:
        name: What to call it.
        vocab: Rows of the embedding.
        hidden: Width of the residual stream.
        intermediate: Width of the MLP.
        layers: Number of layers.
        heads: Query heads per layer.
        kv_heads: Key and value heads per layer.
        head_dim: Width of a head; `heads * head_dim` need not equal `hidden`.
        tied: One matrix is both the embedding and the head.
        query_key_norm: Queries and keys are normed.
        biases: The linear layers that have a bias.
        family: Its model_type, one of `LAYOUTS`.
        positions: Rows of a learned position embedding; 0 if there is none.
    """

    name: str
    vocab: int
    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    tied: bool
    query_key_norm: bool = False
    biases: tuple[str, ...] = ()
    family: str = "llama"
    positions: int = 0

    @property
    def layout(self) -> Layout:
        """The layout of its family's layers."""
        return LAYOUTS[self.family]

    @property
    def q(self) -> int:
        """Numbers in the query of one token, over all heads."""
        return self.heads * self.head_dim

    @property
    def kv(self) -> int:
        """Numbers in the key of one token, over all heads; the value has as many."""
        return self.kv_heads * self.head_dim

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """The matrices of one layer by name, each as (in, out)."""
        layout, h = self.layout, self.hidden
        matrices = {name: (h, self._width(parts)) for name, parts in layout.attention.items()}
        matrices[layout.attention_out] = (self.q, h)
        matrices |= {name: (h, self._width(parts)) for name, parts in layout.mlp.items()}
        return {**matrices, layout.mlp_out: (self.intermediate, h)}

    def _width(self, parts: tuple[str, ...]) -> int:
        return sum(getattr(self, part) for part in parts)

    @property
    def matrix_parameters(self) -> int:
        """Parameters of the matrices of one layer."""
        return sum(i * o for i, o in self.linears.values())

    @property
    def small_parameters(self) -> int:
        """Parameters of the norms and biases of one layer."""
        norms = self.layout.norms * self.norm_parameters
        norms += 2 * self.head_dim if self.query_key_norm else 0
        return norms + sum(self.linears[name][1] for name in self.biases)

    @property
    def norm_parameters(self) -> int:
        """Parameters of one norm of the hidden state: a weight, and with LayerNorm a bias."""
        return (2 if self.layout.centered else 1) * self.hidden

    @property
    def vocab_parameters(self) -> int:
        """Parameters of the embedding; a head that is not tied has as many again."""
        return self.vocab * self.hidden

    @property
    def vocab_matrices(self) -> int:
        """Number of matrices of shape (vocab, hidden)."""
        return 1 if self.tied else 2

    @property
    def parameters(self) -> int:
        """Parameters of the whole model."""
        layer = self.matrix_parameters + self.small_parameters
        embeddings = self.vocab_matrices * self.vocab_parameters
        embeddings += self.vocab if self.layout.head_bias else 0
        positions = self.positions * self.hidden
        return self.layers * layer + embeddings + positions + self.norm_parameters


def shape_of(model: str | Path) -> Shape:
    """Return the shape of a model.

    Args:
        model: A name in `names()`, in any case, a config.json, or a model folder.

    Raises:
        CourseError: There is no such model, or its family is not supported.
    """
    path = Path(model).expanduser()
    name = {x.lower(): x for x in names()}.get(_base_name(str(model)))
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


def _base_name(name: str) -> str:
    """Reduce a hub id to the name of its base model, whose shape a chat model shares.

    For example, meta-llama/Meta-Llama-3.1-8B-Instruct becomes llama-3.1-8b.
    """
    name = name.rpartition("/")[2].lower().removeprefix("meta-")
    for suffix in ("-instruct", "-base", "-it", "-pt"):
        name = name.removesuffix(suffix)
    return name


def names() -> list[str]:
    """Return the names of the models whose numbers are shipped with the course."""
    return list(shipped()["models"])


@cache
def shipped() -> dict[str, Any]:
    """Return the file of shipped numbers: `models` by name, and `where` the numbers are from."""
    return json.loads((assets_dir() / "models.json").read_text(encoding="utf-8"))


def from_config(config: dict[str, Any], name: str, where: str | Path = "config.json") -> Shape:
    """Return the shape that a Hugging Face config describes.

    Args:
        config: The content of a config.json.
        name: What to call the model.
        where: Where the config is from, for messages.

    Raises:
        CourseError: The family is not supported, or a size is missing.
    """
    if isinstance(config, dict) and isinstance(config.get("text_config"), dict):
        config = config["text_config"]  # a model that also takes images
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind not in LAYOUTS:
        raise CourseError(
            f"{where} describes a model of type {kind}; the estimate supports {', '.join(LAYOUTS)}."
        )
    sizes = _sizes(config, where)
    heads, hidden = sizes["num_attention_heads"], sizes["hidden_size"]
    return Shape(
        name=name,
        vocab=sizes["vocab_size"],
        hidden=hidden,
        intermediate=sizes["intermediate_size"],
        layers=sizes["num_hidden_layers"],
        heads=heads,
        kv_heads=config.get("num_key_value_heads") or heads,
        head_dim=config.get("head_dim") or hidden // heads,
        tied=bool(config.get("tie_word_embeddings", kind in TIED_BY_DEFAULT)),
        query_key_norm=LAYOUTS[kind].query_key_norm,
        biases=_biases(config, kind),
        family=kind,
        positions=config.get("n_positions", 1024) if kind == "gpt2" else 0,
    )


def _biases(config: dict[str, Any], kind: str) -> tuple[str, ...]:
    layout = LAYOUTS[kind]
    everything = (*layout.attention, layout.attention_out, *layout.mlp, layout.mlp_out)
    if layout.biased:
        return everything
    biases = tuple(layout.attention) if kind in WITH_QUERY_KEY_BIAS else ()
    if config.get("attention_bias"):
        biases = (*layout.attention, layout.attention_out)
    if config.get("mlp_bias"):
        biases += (*layout.mlp, layout.mlp_out)
    return biases


def _sizes(config: dict[str, Any], where: str | Path) -> dict[str, int]:
    values = {name: config.get(name) or config.get(OLD_NAMES.get(name, "")) for name in SIZES}
    if config["model_type"] == "gpt2" and isinstance(values["hidden_size"], int):
        values["intermediate_size"] = values["intermediate_size"] or 4 * values["hidden_size"]
    sizes: dict[str, int] = {}
    for name, size in values.items():
        if not isinstance(size, int) or size < 1:
            raise CourseError(
                f"{where} has no usable {name} (it says {size}); copy the model's config.json "
                "again."
            )
        sizes[name] = size
    return sizes
