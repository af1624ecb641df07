"""The few numbers of a model that decide how much memory it takes: from a name or a config.json."""

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
# transformers' default where a config.json may leave the line out: one matrix at both ends.
TIED_UNLESS_TOLD = ("gemma", "gemma3_text", "gpt2")


@dataclass(frozen=True)
class Shape:
    """A language model in numbers. `heads * head_dim` need not be `hidden`.

    family: its model_type, one of `LAYOUTS`. positions: rows of a learned embedding of positions.
    """

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
    family: str = "llama"
    positions: int = 0

    @property
    def layout(self) -> Layout:
        """How the layers of its family are built."""
        return LAYOUTS[self.family]

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
        """The matrices of one layer: name -> (in, out)."""
        layout, h = self.layout, self.hidden
        matrices = {name: (h, self._width(parts)) for name, parts in layout.attention.items()}
        matrices[layout.attention_out] = (self.q, h)
        matrices |= {name: (h, self._width(parts)) for name, parts in layout.mlp.items()}
        return {**matrices, layout.mlp_out: (self.intermediate, h)}

    def _width(self, parts: tuple[str, ...]) -> int:
        return sum(getattr(self, part) for part in parts)

    @property
    def matrix_parameters(self) -> int:
        """Of the matrices of one layer."""
        return sum(i * o for i, o in self.linears.values())

    @property
    def small_parameters(self) -> int:
        """Norms and biases of one layer."""
        norms = self.layout.norms * self.norm_parameters
        norms += 2 * self.head_dim if self.query_key_norm else 0
        return norms + sum(self.linears[name][1] for name in self.biases)

    @property
    def norm_parameters(self) -> int:
        """Of one norm of the hidden state: a weight, and with LayerNorm a bias."""
        return (2 if self.layout.centered else 1) * self.hidden

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
        ends = self.ends * self.vocab_parameters + (self.vocab if self.layout.head_bias else 0)
        positions = self.positions * self.hidden
        return self.layers * layer + ends + positions + self.norm_parameters


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
    for suffix in ("-instruct", "-base", "-it", "-pt"):
        name = name.removesuffix(suffix)
    return name


def names() -> list[str]:
    """The models whose numbers are shipped with the course."""
    return list(shipped()["models"])


@cache
def shipped() -> dict[str, Any]:
    """The file of shipped numbers: `models` by name, and `where` they were read."""
    return json.loads((assets_dir() / "models.json").read_text(encoding="utf-8"))


def from_config(config: dict[str, Any], name: str, where: str | Path = "config.json") -> Shape:
    """The shape told by a Hugging Face config. Raises CourseError if its family is not known."""
    if isinstance(config, dict) and isinstance(config.get("text_config"), dict):
        config = config["text_config"]  # of a model that also sees
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind not in LAYOUTS:
        raise CourseError(
            f"{where} describes a model of type {kind}; the estimate knows the layers of "
            f"{', '.join(LAYOUTS)}."
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
        tied=bool(config.get("tie_word_embeddings", kind in TIED_UNLESS_TOLD)),
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
    sizes = {name: config.get(name) or config.get(OLD_NAMES.get(name, "")) for name in SIZES}
    if config["model_type"] == "gpt2" and isinstance(sizes["hidden_size"], int):
        sizes["intermediate_size"] = sizes["intermediate_size"] or 4 * sizes["hidden_size"]
    for name, size in sizes.items():
        if not isinstance(size, int) or size < 1:
            raise CourseError(
                f"{where} has no usable {name} (it says {size}); copy the model's config.json "
                "again."
            )
    return sizes
