"""Adapter folders: a few MB that belong to a base model, and whether the two fit together."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.data.chat_templates import as_list, stop_at_end_of_turn
from ift_course.data.hub import first_sentence
from ift_course.errors import CourseError
from ift_course.models.fingerprint import differing, fingerprint, read_base
from ift_course.models.folders import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    read_json,
)
from ift_course.models.quiet import quiet

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def put_beside(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", folder: Path, name: str
) -> "tuple[PeftModel, PreTrainedTokenizerBase]":
    """The adapter of a folder beside the weights of its base, and the tokenizer of the two.

    Args:
        model: The base, in evaluation mode; it gets the adapter's layers.
        tokenizer: The base's.
        folder: Where a whole adapter lies.
        name: What the base is called, for messages.

    Raises:
        CourseError: the two do not belong together.
    """
    own = _own_tokenizer(folder)
    _refuse_other_base(folder, name, model)
    if own is not None:
        _refuse_other_vocabulary(folder, name, tokenizer, own)
        tokenizer = own
    current = model.get_input_embeddings().num_embeddings
    rows = vocabulary_rows(folder, model) or max(current, len(tokenizer))
    if rows != current:
        with quiet():  # the adapter brings the new rows
            model.resize_token_embeddings(rows, mean_resizing=False)
    adapted = _beside(model, folder, name)
    _adopt_stops(adapted, tokenizer, folder)
    return adapted.eval(), tokenizer


def base_name(folder: str | Path) -> str:
    """The base model an adapter says it belongs to: a folder, or a hub id."""
    name = read_json(Path(folder) / ADAPTER_CONFIG).get("base_model_name_or_path")
    if not name:
        raise CourseError(
            f"{Path(folder) / ADAPTER_CONFIG} does not name a base model; give it by --base."
        )
    return name


def size_mb(folder: str | Path) -> float:
    """The adapter's weights on disk, in MB of 10^6 bytes."""
    paths = (Path(folder) / name for name in ADAPTER_WEIGHTS)
    return sum(path.stat().st_size for path in paths if path.exists()) / 1e6


def vocabulary_rows(folder: Path, model: "PreTrainedModel") -> int | None:
    """How many tokens the model had that an adapter was trained on, as far as its weights tell.

    A vocabulary is often padded to a multiple of 64 or gets tokens before the tuning. The adapter
    then holds the embedding as a whole, or low-rank parts of it with as many rows.
    """
    ends = (model.get_input_embeddings(), model.get_output_embeddings())
    names = {name.rpartition(".")[2] for name, module in model.named_modules() if module in ends}
    rows = set()
    for key, shape in _shapes(folder).items():
        parts = set(key.split("."))
        if not names & parts or len(shape) != 2:
            continue
        if "lora_embedding_A" in parts:
            rows.add(shape[1])
        elif "lora_B" in parts or (key.endswith(".weight") and "lora_A" not in parts):
            rows.add(shape[0])
    return max(rows, default=None)


def _shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of an adapter's tensors by name."""
    from safetensors import safe_open

    path = folder / ADAPTER_WEIGHTS[0]
    if path.exists():
        with safe_open(path, framework="pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    import torch

    tensors = torch.load(folder / ADAPTER_WEIGHTS[1], map_location="cpu", weights_only=True)
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _own_tokenizer(folder: Path) -> "PreTrainedTokenizerBase | None":
    from transformers import AutoTokenizer

    if not (folder / "tokenizer.json").exists():
        return None
    with quiet():
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def _beside(model: "PreTrainedModel", folder: Path, name: str) -> "PeftModel":
    """The adapter's weights, put beside those of the model; all of them must find their place."""
    with quiet():
        from peft import PeftModel
    remedy = "give the model it was trained on with --base"
    try:
        with quiet():
            adapted = PeftModel.from_pretrained(model, folder)
    except Exception as error:  # peft raises what its many kinds of adapters raise
        raise CourseError(
            f"The adapter in {folder} does not fit the model {name} ({first_sentence(error)}); "
            f"{remedy}."
        ) from error
    if mismatch := _mismatch(adapted, folder):
        raise CourseError(
            f"The adapter in {folder} does not fit the model {name}: {mismatch}; {remedy}."
        )
    return adapted


def _mismatch(adapted: "PeftModel", folder: Path) -> str | None:
    """What adapter and model do not have in common: peft passes over both kinds with a warning."""
    from peft import get_peft_model_state_dict

    if adapted.active_peft_config.is_prompt_learning:
        return None
    stored = set(_shapes(folder))
    placed = set(get_peft_model_state_dict(adapted, save_embedding_layers=False))
    ends = (adapted.get_input_embeddings(), adapted.get_output_embeddings())
    embeddings = [
        name for name, module in adapted.get_base_model().named_modules() if module in ends
    ]
    prefix = "base_model.model."
    for name in sorted(stored - placed):
        if not any(name.startswith(f"{prefix}{embedding}.") for embedding in embeddings):
            return f"it has weights for {name.removeprefix(prefix)}, which that model lacks"
    for name in sorted(placed - stored):
        if ".lora_A." in name:
            return f"it has no weights for {name.removeprefix(prefix)}, which that model has"
    return None


def _refuse_other_base(folder: Path, name: str, model: "PreTrainedModel") -> None:
    """Raise CourseError when the adapter was trained on another model than this one."""
    recorded = read_base(folder)
    if not recorded:
        recorded = _recorded_elsewhere(folder)
    own = read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
    remedy = f"give the model it was trained on ({own}) with --base"
    family, own_family = recorded.get("model_type"), model.config.model_type
    if family and family != own_family:
        raise CourseError(
            f"The adapter in {folder} was trained on a model of type {family}, and {name} is a "
            f"{own_family}; {remedy}."
        )
    tensor = differing(recorded.get("weights", {}), model.name_or_path)
    if tensor:
        raise CourseError(
            f"The adapter in {folder} was trained on another model than {name}: the weights of "
            f"{tensor} differ; {remedy}."
        )


def _recorded_elsewhere(folder: Path) -> dict:
    """What can be known of the base of another program's adapter: its own folder, or its class."""
    config = read_json(folder / ADAPTER_CONFIG)
    name = config.get("base_model_name_or_path")
    home = Path(str(name)).expanduser()
    if name and (home / "config.json").exists():
        family = read_json(home / "config.json").get("model_type")
        return {"model_type": family, "weights": fingerprint(home)}
    mapping = config.get("auto_mapping") or {}
    classname = str(mapping.get("base_model_class") or "")
    return {"model_type": _family_of(classname)}


def _family_of(classname: str) -> str | None:
    """The model type of a class such as Qwen2ForCausalLM."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    for family, names in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.items():
        if names == classname:
            return family
    return None


def _refuse_other_vocabulary(folder: Path, name: str, base, own) -> None:
    """Raise CourseError when the adapter's tokenizer is not the base's with tokens added."""
    known = base.get_vocab()
    moved = [token for token, row in own.get_vocab().items() if known.get(token, row) != row]
    if len(moved) > len(known) // 10:
        raise CourseError(
            f"The adapter in {folder} was trained on another model than {name}: {len(moved)} "
            f"tokens of its tokenizer have other numbers there ({moved[0]!r} is one); give the "
            "model it was trained on with --base."
        )


def _adopt_stops(adapted: "PeftModel", tokenizer: "PreTrainedTokenizerBase", folder: Path) -> None:
    """Generation ends as the adapter's folder says, or else where its tokenizer and template do."""
    from transformers import GenerationConfig

    model = adapted.get_base_model()
    if (folder / "generation_config.json").exists():
        saved = GenerationConfig.from_pretrained(folder)
        model.generation_config.eos_token_id = saved.eos_token_id
        return
    stops = as_list(model.generation_config.eos_token_id)
    if tokenizer.eos_token_id not in [*stops, None]:
        model.generation_config.eos_token_id = [tokenizer.eos_token_id, *stops]
    stop_at_end_of_turn(model, tokenizer)


def source_of(name: str | Path, model: "PreTrainedModel") -> str:
    """What an adapter should say it belongs to: a hub id as it was given, else a whole path."""
    if re.fullmatch(r"[\w.-]+/[\w.-]+", str(name)) and not Path(name).expanduser().exists():
        return str(name)
    return str(Path(model.name_or_path).absolute())
