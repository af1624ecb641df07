"""The adapter of a submission: LoRA on the course's base, and nothing else.

A low-rank update is applied by hand here, W + alpha / rank · B A, so that no setting of an
untrusted file reaches PEFT. `tests/capstone` compares the result with PEFT's.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ift_course.capstone.rules import (
    ADAPTER,
    ADAPTER_SETTINGS,
    LARGEST,
    MOST_RANK,
    Refusal,
    megabytes,
)
from ift_course.capstone.tensors_header import TensorInfo, read_header
from ift_course.paths import assets_dir

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

PREFIX = "base_model.model."
LORA = re.compile(r"(?P<module>[\w.]+)\.lora_(?P<half>[AB])\.weight")
TOKEN_ROWS = re.compile(r"(?P<module>[\w.]+)\.token_adapter\.trainable_tokens_delta")
MOST_TOKEN_ROWS = 16  # embedding rows of special tokens that may be trained as a whole
EMBEDDING = "model.embed_tokens"
LARGEST_NUMBER = 1e4  # in an adapter; trained ones stay below 10

# Settings of PEFT that change nothing about a finished adapter, or that are looked at by name.
HANDLED = {"r", "lora_alpha", "use_rslora", "trainable_token_indices", "peft_type", "task_type"}
WITHOUT_EFFECT = {
    "auto_mapping", "base_model_name_or_path", "inference_mode", "init_lora_weights",
    "layers_pattern", "layers_to_transform", "lora_dropout", "megatron_core", "peft_version",
    "qalora_group_size", "revision", "target_modules", "exclude_modules", "eva_config",
    "corda_config", "loftq_config", "ensure_weight_tying", "runtime_config",
}  # fmt: skip
CHANGES_THE_BASE = ("pissa", "olora", "loftq", "corda", "eva", "lora_ga", "orthogonal")


@dataclass(frozen=True)
class LoraSpec:
    """What a submission's adapter is, as far as it is used.

    Attributes:
        scales: The factor of B A, by the module that it is added to.
        tokens: Ids whose embedding rows were trained as a whole.
        rank: The largest rank.
    """

    scales: dict[str, float]
    tokens: tuple[int, ...]
    rank: int


def check_adapter(content: bytes, settings: bytes) -> LoraSpec:
    """Accept an adapter that is LoRA on the base's linear layers.

    Args:
        content: Of the safetensors file.
        settings: Of PEFT's adapter_config.json.

    Raises:
        Refusal: A file is too large or damaged, the adapter is of another kind, or it does not fit
            the base.
    """
    if len(content) > LARGEST[ADAPTER]:
        raise Refusal(
            "size", f"{ADAPTER} has {megabytes(len(content))}, and {megabytes(LARGEST[ADAPTER])} "
            f"are the limit; a rank of at most {MOST_RANK} fits."
        )  # fmt: skip
    tensors = read_header(content)
    config = _config(settings)
    tokens = _token_indices(config.get("trainable_token_indices"))
    ranks: dict[str, dict[str, int]] = {}
    for name, info in tensors.items():
        inner = name.removeprefix(PREFIX)
        if (lora := LORA.fullmatch(inner)) and name.startswith(PREFIX):
            half = lora["half"]
            ranks.setdefault(lora["module"], {})[half] = _rank(lora["module"], half, info)
        elif (rows := TOKEN_ROWS.fullmatch(inner)) and name.startswith(PREFIX):
            _check_token_rows(rows["module"], info, tokens)
        else:
            raise _other_base(f"it has numbers for {name[:100]}")
    scales = {}
    for module, halves in sorted(ranks.items()):
        if len(halves) != 2 or halves["A"] != halves["B"] or halves["A"] != config["r"]:
            raise _refused(f"has A and B of different ranks, or only one of them, for {module}")
        root = math.sqrt(config["r"]) if config.get("use_rslora") else config["r"]
        scales[module] = config["lora_alpha"] / root
    if not scales:
        raise _refused("has no low-rank update of any layer")
    has_rows = any(TOKEN_ROWS.fullmatch(name.removeprefix(PREFIX)) for name in tensors)
    return LoraSpec(scales, tokens if has_rows else (), config["r"])


@cache
def base_shapes() -> dict[str, tuple[int, ...]]:
    """The shape of each matrix of the course's base, (outputs, inputs), by its module's name."""
    path = assets_dir() / "base" / "model.safetensors"
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return {
        name.removesuffix(".weight"): tuple(entry["shape"])
        for name, entry in header.items()
        if name.endswith(".weight") and len(entry["shape"]) == 2
    }


def apply_adapter(
    model: PreTrainedModel, spec: LoraSpec, tensors: Mapping[str, torch.Tensor]
) -> None:
    """Add an adapter to the weights of the base, in place.

    Args:
        model: The base in float32.
        spec: What `check_adapter` returned.
        tensors: The numbers by name.

    Raises:
        Refusal: A number is not finite, or absurdly large.
    """
    import torch

    for name, tensor in tensors.items():
        is_finite = bool(torch.isfinite(tensor).all())
        if not is_finite or (tensor.numel() and tensor.abs().max() > LARGEST_NUMBER):
            kind = f"beyond {LARGEST_NUMBER:,.0f}" if is_finite else "that are not finite"
            raise Refusal(
                "numbers", f"{ADAPTER} holds numbers {kind} (in {name[:100]}): the training has "
                "diverged, so lower its learning rate."
            )  # fmt: skip
    with torch.no_grad():
        for module, scale in spec.scales.items():
            first, second = (tensors[f"{PREFIX}{module}.lora_{x}.weight"].float() for x in "AB")
            weight: Any = model.get_submodule(module).weight
            weight += (scale * (second @ first)).to(weight)
        if spec.tokens:
            rows = tensors[f"{PREFIX}{EMBEDDING}.token_adapter.trainable_tokens_delta"]
            matrix: Any = model.get_input_embeddings().weight
            matrix[list(spec.tokens)] = rows.to(matrix)


def _config(content: bytes) -> dict[str, Any]:
    """PEFT's settings, if they describe plain LoRA."""
    try:
        config = json.loads(content)
    except (ValueError, RecursionError):
        raise _refused(f"has settings ({ADAPTER_SETTINGS}) that are no JSON") from None
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        kind = config.get("peft_type") if isinstance(config, dict) else None
        raise _refused(f"is of the kind {str(kind)[:40]}; only LoRA is allowed")
    base = config.get("base_model_name_or_path")
    if isinstance(base, str) and re.fullmatch(r"[\w.-]+/[\w.-]+", base):
        raise _other_base(f"it names {base[:80]} as its base")
    rank: Any = config.get("r")
    alpha: Any = config.get("lora_alpha")
    if type(rank) is not int or not 1 <= rank <= MOST_RANK:
        raise Refusal("budget", f"The adapter has rank {str(rank)[:20]}; 1 to {MOST_RANK} are "
                      "allowed.")  # fmt: skip
    if type(alpha) not in (int, float) or not 0 < alpha <= 10_000:
        raise _refused("has no usable lora_alpha")
    start = config.get("init_lora_weights")
    if isinstance(start, str) and start.lower().startswith(CHANGES_THE_BASE):
        raise _refused(f"starts from {start[:20]}, which changes the base, too")
    for name, value in config.items():
        if name not in HANDLED | WITHOUT_EFFECT and value and value not in ("none", "lora_only"):
            raise _refused(f"uses the setting {name[:40]}, which the exam does not know")
    return config


def _token_indices(value: Any) -> tuple[int, ...]:
    if isinstance(value, dict) and len(value) <= 1:
        value = next(iter(value.values()), None)
    if not value:
        return ()
    vocabulary = base_shapes()[EMBEDDING][0]
    is_list = isinstance(value, list) and len(value) <= MOST_TOKEN_ROWS
    if not is_list or not all(type(x) is int and 0 <= x < vocabulary for x in value):
        raise _refused(
            f"trains more than {MOST_TOKEN_ROWS} embedding rows, or rows that the base lacks"
        )
    return tuple(value)


def _rank(module: str, half: str, info: TensorInfo) -> int:
    shape = base_shapes().get(module)
    if shape is None or module == EMBEDDING or len(info.shape) != 2:
        raise _other_base(f"it has numbers for {module[:100]}, which the base lacks")
    width = info.shape[1] if half == "A" else info.shape[0]
    if width != shape[1 if half == "A" else 0]:
        raise _other_base(f"its {module} is {width} wide, and that of the base is not")
    return info.shape[0] if half == "A" else info.shape[1]


def _check_token_rows(module: str, info: TensorInfo, tokens: tuple[int, ...]) -> None:
    if module != EMBEDDING or info.shape != (len(tokens), base_shapes()[EMBEDDING][1]):
        raise _other_base("its embedding rows are not those that its settings name")


def _other_base(why: str) -> Refusal:
    return Refusal("wrong base", f"The adapter does not fit the base of the course: {why}; tune "
                   'the model that ift.load("base") gives.')  # fmt: skip


def _refused(what: str) -> Refusal:
    return Refusal("adapter", f"The adapter {what}.")
