"""Adapter folders: a few MB that belong to a base model, and whether the two fit together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.data.chat_templates import as_list, stop_at_end_of_turn
from ift_course.data.hub import first_sentence
from ift_course.errors import CourseError
from ift_course.models.embeddings import embedding_rows
from ift_course.models.fingerprint import fingerprint, first_difference, read_base
from ift_course.models.folders import ADAPTER_CONFIG, ADAPTER_WEIGHTS, read_json
from ift_course.models.quiet import quiet

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def attach_adapter(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path, name: str
) -> tuple[PeftModel, PreTrainedTokenizerBase]:
    """Add the adapter in a folder to its base, and choose the tokenizer of the two.

    Args:
        model: The base in evaluation mode, which gets the adapter's layers.
        tokenizer: The tokenizer of the base.
        folder: The folder of a complete adapter.
        name: The name of the base, for messages.

    Returns:
        The adapted model in evaluation mode, and its tokenizer.

    Raises:
        CourseError: Adapter and base do not belong together.
    """
    own_tokenizer = _own_tokenizer(folder)
    _refuse_other_base(folder, name, model)
    if own_tokenizer is not None:
        _refuse_other_vocabulary(folder, name, tokenizer, own_tokenizer)
        tokenizer = own_tokenizer
    current = embedding_rows(model)
    rows = vocabulary_rows(folder, model) or max(current, len(tokenizer))
    if rows != current:
        with quiet():  # the adapter brings the new rows
            model.resize_token_embeddings(rows, mean_resizing=False)
    adapted = _with_adapter(model, folder, name)
    _set_stop_tokens(adapted, tokenizer, folder)
    return adapted.eval(), tokenizer


def base_name(folder: str | Path) -> str:
    """Return the base that an adapter names: a folder or a hub id.

    Raises:
        CourseError: It names none.
    """
    name = read_json(Path(folder) / ADAPTER_CONFIG).get("base_model_name_or_path")
    if not name:
        raise CourseError(
            f"{Path(folder) / ADAPTER_CONFIG} does not name a base model; give one with --base."
        )
    return name


def size_mb(folder: str | Path) -> float:
    """Return the size of the adapter's weights on disk, in MB (10^6 bytes)."""
    paths = (Path(folder) / name for name in ADAPTER_WEIGHTS)
    return sum(path.stat().st_size for path in paths if path.exists()) / 1e6


def vocabulary_rows(folder: Path, model: PreTrainedModel) -> int | None:
    """Return how many tokens the model had on which an adapter was trained.

    A vocabulary is often padded to a multiple of 64, or gets new tokens before the tuning. The
    adapter then contains the whole embedding, or a low-rank update of it with as many rows.

    Args:
        folder: The adapter folder.
        model: The base, whose embeddings may have fewer rows.

    Returns:
        The number of rows; None if the adapter's weights do not show it.
    """
    embeddings = (model.get_input_embeddings(), model.get_output_embeddings())
    names = {
        name.rpartition(".")[2] for name, module in model.named_modules() if module in embeddings
    }
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
    """Return the shapes of an adapter's tensors by name."""
    from safetensors import safe_open

    path = folder / ADAPTER_WEIGHTS[0]
    if path.exists():
        with safe_open(path, framework="pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    import torch

    tensors = torch.load(folder / ADAPTER_WEIGHTS[1], map_location="cpu", weights_only=True)
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _own_tokenizer(folder: Path) -> PreTrainedTokenizerBase | None:
    from transformers import AutoTokenizer

    if not (folder / "tokenizer.json").exists():
        return None
    with quiet():
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def _with_adapter(model: PreTrainedModel, folder: Path, name: str) -> PeftModel:
    """Add the adapter's layers to a model; each of its weights must have a place there."""
    with quiet():
        from peft import PeftModel
    remedy = "give the model it was trained on with --base"
    try:
        with quiet():
            adapted = PeftModel.from_pretrained(model, folder)
    except Exception as error:  # the many kinds of adapters raise many kinds of errors
        raise CourseError(
            f"The adapter in {folder} does not fit the model {name} ({first_sentence(error)}); "
            f"{remedy}."
        ) from error
    if mismatch := _mismatch(adapted, folder):
        raise CourseError(
            f"The adapter in {folder} does not fit the model {name}: {mismatch}; {remedy}."
        )
    return adapted


def _mismatch(adapted: PeftModel, folder: Path) -> str | None:
    """Return in words which weights only the adapter or only the model has; None if they match.

    peft only warns about them.
    """
    from peft import get_peft_model_state_dict

    if adapted.active_peft_config.is_prompt_learning:
        return None
    stored = set(_shapes(folder))
    placed = set(get_peft_model_state_dict(adapted, save_embedding_layers=False))
    modules = (adapted.get_input_embeddings(), adapted.get_output_embeddings())
    embeddings = [
        name for name, module in adapted.get_base_model().named_modules() if module in modules
    ]
    prefix = "base_model.model."
    for name in sorted(stored - placed):
        if not any(name.startswith(f"{prefix}{embedding}.") for embedding in embeddings):
            return f"it has weights for {name.removeprefix(prefix)}, which that model lacks"
    for name in sorted(placed - stored):
        if ".lora_A." in name:
            return f"it has no weights for {name.removeprefix(prefix)}, which that model has"
    return None


def _refuse_other_base(folder: Path, name: str, model: PreTrainedModel) -> None:
    """Raise CourseError if the adapter was trained on another model than this one."""
    recorded = read_base(folder)
    if not recorded:
        recorded = _derive_base(folder)
    named_base = read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
    remedy = f"give the model it was trained on ({named_base}) with --base"
    expected, actual = recorded.get("model_type"), model.config.model_type
    if expected and expected != actual:
        raise CourseError(
            f"The adapter in {folder} was trained on a model of type {expected}, and {name} is a "
            f"{actual}; {remedy}."
        )
    tensor = first_difference(recorded.get("weights", {}), str(model.name_or_path))
    if tensor:
        raise CourseError(
            f"The adapter in {folder} was trained on another model than {name}: the weights of "
            f"{tensor} differ; {remedy}."
        )


def _derive_base(folder: Path) -> dict[str, Any]:
    """Describe the base of an adapter that another program made, as `read_base` does.

    The description is computed from the folder of the base, if it is on this disk, or else from the
    class that the adapter names.
    """
    config = read_json(folder / ADAPTER_CONFIG)
    name = config.get("base_model_name_or_path")
    base_folder = Path(str(name)).expanduser()
    if name and (base_folder / "config.json").exists():
        model_type = read_json(base_folder / "config.json").get("model_type")
        return {"model_type": model_type, "weights": fingerprint(base_folder)}
    mapping = config.get("auto_mapping") or {}
    return {"model_type": _model_type(str(mapping.get("base_model_class") or ""))}


def _model_type(class_name: str) -> str | None:
    """Return the model type of a class such as Qwen2ForCausalLM."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    for model_type, name in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.items():
        if name == class_name:
            return model_type
    return None


def _refuse_other_vocabulary(
    folder: Path, name: str, base: PreTrainedTokenizerBase, own: PreTrainedTokenizerBase
) -> None:
    """Raise CourseError if the adapter's tokenizer is not the base's with tokens added."""
    base_vocab = base.get_vocab()
    moved = [token for token, row in own.get_vocab().items() if base_vocab.get(token, row) != row]
    if len(moved) > len(base_vocab) // 10:
        raise CourseError(
            f"The adapter in {folder} was trained on another model than {name}: {len(moved)} "
            f"tokens of its tokenizer have other numbers there ({moved[0]!r} is one); give the "
            "model it was trained on with --base."
        )


def _set_stop_tokens(adapted: PeftModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Let generation stop where the adapter's folder says, or else its tokenizer and template."""
    from transformers import GenerationConfig

    model: Any = adapted.get_base_model()
    if (folder / "generation_config.json").exists():
        saved = GenerationConfig.from_pretrained(folder)
        model.generation_config.eos_token_id = saved.eos_token_id
        return
    stops = as_list(model.generation_config.eos_token_id)
    if tokenizer.eos_token_id not in [*stops, None]:
        model.generation_config.eos_token_id = [tokenizer.eos_token_id, *stops]
    stop_at_end_of_turn(model, tokenizer)


def source_of(name: str | Path, model: PreTrainedModel) -> str:
    """Return what an adapter should name as its base: a hub id as it is, or an absolute path.

    Args:
        name: What the user called the base.
        model: The base.
    """
    if re.fullmatch(r"[\w.-]+/[\w.-]+", str(name)) and not Path(name).expanduser().exists():
        return str(name)
    return str(Path(str(model.name_or_path)).absolute())
