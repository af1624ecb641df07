"""Open models by name or folder, and merge adapters into their base or attach them to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ift_course.data.chat_templates import stop_at_end_of_turn
from ift_course.data.hub import first_sentence
from ift_course.errors import CourseError
from ift_course.models.fingerprint import read_base
from ift_course.models.folders import ADAPTER_CONFIG, check_adapter, is_adapter, read_json
from ift_course.models.load import base_folder, load_whole, local_folder
from ift_course.models.lora_adapters import attach_adapter, base_name
from ift_course.models.quiet import quiet
from ift_course.profile import get_profile

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from peft.tuners.tuners_utils import BaseTunerLayer
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.models.load import LoadedModel

# How much merged logits may differ, as a share of the largest: only by rounding of the weights.
TOLERANCE = {"float32": 1e-4, "float16": 2e-2, "bfloat16": 1e-1}


class CannotMerge(CourseError):
    """The adapter is complete and fits its base, but cannot become a part of its weights."""


@dataclass(frozen=True)
class Merged:
    """A base with an adapter merged into its weights.

    The logits of a probe are compared, and differences are shares of the largest logit.

    Attributes:
        model: An ordinary model.
        tokenizer: Its tokenizer.
        base: The name of the base.
        difference: Between the merged model and base with adapter: rounding.
        effect: Between base with adapter and the base alone: what the adapter does.
        notes: What could not be checked about the base.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    base: str
    difference: float
    effect: float
    notes: list[str] = field(default_factory=list)


def open_model(
    name: str | Path = "base",
    *,
    profile: str | None = None,
    dtype: torch.dtype | None = None,
    four_bit: bool = False,
) -> LoadedModel:
    """Load a model in evaluation mode, and its tokenizer.

    Args:
        name: "base" (the profile's base model), the path of a Hugging Face model folder, or a hub
            id. An adapter is merged into its base.
        profile: A name in `ift_course.profile.PROFILES`; None means IFT_PROFILE or "tiny".
        dtype: None chooses float32 on a CPU, and half precision on a GPU, to which the model is
            moved.
        four_bit: Load the linear layers as NF4 (`models.quantize`), on which QLoRA trains adapters.

    Raises:
        CourseError: There is no such model, or it cannot be loaded.
    """
    if name == "base":
        return load_whole(base_folder(get_profile(profile)), dtype, four_bit)
    folder = local_folder(name)
    if folder:
        return open_folder(folder, dtype, four_bit)
    raise CourseError(
        f'There is no model "{name}": give base, sft, the path of a model folder, or a hub id '
        "such as HuggingFaceTB/SmolLM2-135M."
    )


def open_folder(
    folder: str | Path, dtype: torch.dtype | None = None, four_bit: bool = False
) -> LoadedModel:
    """Load the model in a Hugging Face folder; an adapter is merged into its base.

    Args:
        folder: A model folder or an adapter folder.
        dtype: As in `open_model`.
        four_bit: As in `open_model`.

    Raises:
        CourseError: The folder is neither, or it is damaged.
    """
    folder = Path(folder)
    if not is_adapter(folder):
        return load_whole(folder, dtype, four_bit)
    if four_bit:
        raise CourseError(
            f"{folder} contains an adapter, which must be merged before its model can be "
            f"quantized: ift merge {folder} --out models/merged"
        )
    merged = merge(folder, dtype=dtype)
    return merged.model, merged.tokenizer


def attach(
    folder: str | Path,
    base: str | Path | None = None,
    *,
    dtype: torch.dtype | None = None,
    four_bit: bool = False,
) -> tuple[PeftModel, PreTrainedTokenizerBase]:
    """Load an adapter and its base, without merging them, in evaluation mode.

    Args:
        folder: The adapter folder.
        base: The base model; None takes the base that the adapter names.
        dtype: How the base is loaded, as in `open_model`.
        four_bit: How the base is loaded, as in `open_model`.

    Raises:
        CourseError: The folder does not contain a complete adapter, its base is missing, or the two
            do not belong together.
    """
    folder = Path(folder)
    check_adapter(folder)
    name = str(base or base_name(folder))
    try:
        model, tokenizer = open_model(name, dtype=dtype, four_bit=four_bit)
    except CourseError as error:
        raise CourseError(
            f"The adapter in {folder} belongs to the model {name}, which cannot be loaded here; "
            f"say where it is with --base. ({error})"
        ) from error
    return attach_adapter(model, tokenizer, folder, name)


def merge(
    folder: str | Path, base: str | Path | None = None, *, dtype: torch.dtype | None = None
) -> Merged:
    """Merge an adapter into its base, which gives an ordinary model, as fast as the base.

    The base is loaded in full precision, even if the adapter was trained on 4-bit weights: merged
    into those, the sum would be rounded to 4 bits again. Logits before and after are compared.

    Args:
        folder: The adapter folder.
        base: The base model; None takes the base that the adapter names.
        dtype: How the base is loaded, as in `open_model`.

    Raises:
        CannotMerge: The adapter does not change weights (prompt tuning), changes only one of two
            tied matrices, or its base is stored in 4 bits.
        CourseError: As in `attach`, or the merged model computes something else.
    """
    adapted, tokenizer = attach(folder, base, dtype=dtype)
    if obstacle := _obstacle(adapted):
        raise CannotMerge(
            f"The adapter in {folder} cannot be merged, because {obstacle}; "
            f"`ift chat --model {folder}` attaches it to its base."
        )
    try:
        with adapted.disable_adapter():
            base_logits = _probe(adapted, tokenizer)
        adapted_logits = _probe(adapted, tokenizer)
        model = unload(adapted)
    except Exception as error:  # the many kinds of adapters raise many kinds of errors
        raise CannotMerge(
            f"The adapter in {folder} cannot be merged, because peft does not do it for this kind "
            f"({first_sentence(error)}); `ift chat --model {folder}` attaches it to its base."
        ) from error
    largest = adapted_logits.abs().max().item()
    difference = (_probe(model, tokenizer) - adapted_logits).abs().max().item() / largest
    allowed = TOLERANCE[str(model.dtype).removeprefix("torch.")]
    if not difference <= allowed:  # also true for NaN
        raise CourseError(
            f"Merged, the model of {folder} computes something else than base and adapter (its "
            f"logits differ by {difference:.1g} of the largest; rounding explains {allowed:g}); "
            "nothing was written: the adapter is damaged, or another version of peft made it."
        )
    effect = (adapted_logits - base_logits).abs().max().item() / largest
    stop_at_end_of_turn(model, tokenizer)
    base_path = str(model.name_or_path)
    model.config._name_or_path = str(folder)  # so that a further tuning records its parent
    name = str(base or base_name(folder))
    return Merged(model, tokenizer, name, difference, effect, _notes(Path(folder), name, base_path))


def unload(model: PeftModel) -> PreTrainedModel:
    """Merge the adapters into the weights and return the ordinary model."""
    with quiet():
        return model.merge_and_unload()


def _notes(folder: Path, name: str, base_path: str) -> list[str]:
    """Return what could not be checked: an adapter without fingerprint on a renamed base."""
    if read_base(folder):
        return []
    expected = read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
    if not expected or Path(str(expected)).expanduser().exists() or str(expected) == name:
        return []
    return [
        f"The adapter says that it belongs to {expected}; whether {name} is the same model "
        "cannot be checked."
    ]


def _obstacle(adapted: PeftModel) -> str | None:
    """Return why an adapter cannot be merged, as a clause after "because"; None if it can."""
    config = adapted.active_peft_config
    kind = getattr(config.peft_type, "value", config.peft_type)
    if config.is_prompt_learning or not hasattr(adapted.base_model, "merge_and_unload"):
        return f"{kind} adds inputs or layers to the model and changes no weights"
    model = cast("PreTrainedModel", adapted.get_base_model())
    if getattr(model.config, "quantization_config", None):
        return (
            f"its base {model.name_or_path} is stored quantized, and the sum would be rounded "
            "(give the same model in full precision with --base)"
        )
    from peft.tuners.tuners_utils import BaseTunerLayer

    embeddings = (model.get_input_embeddings(), model.get_output_embeddings())
    adapted_embeddings = [
        name
        for name, module in model.named_modules()
        if module in embeddings and isinstance(module, BaseTunerLayer) and _has_low_rank(module)
    ]
    if model.config.get_text_config().tie_word_embeddings and adapted_embeddings:
        return (
            f"it changes {adapted_embeddings[0]} alone, while input and output embedding of this "
            "model are one matrix, so that merging would change both (tune without that target)"
        )
    return None


def _has_low_rank(module: BaseTunerLayer) -> bool:
    return bool(getattr(module, "lora_A", None) or getattr(module, "lora_embedding_A", None))


def _probe(model: PreTrainedModel | PeftModel, tokenizer: PreTrainedTokenizerBase) -> torch.Tensor:
    """Return the logits of a question and of arbitrary tokens, float32 of shape (1, n, vocab)."""
    import torch

    question = tokenizer("What is the capital of France?", add_special_tokens=False)["input_ids"]
    arbitrary = torch.randint(len(tokenizer), (32,), generator=torch.Generator().manual_seed(0))
    ids = torch.tensor([[*question, *arbitrary.tolist()]], device=model.device)
    with torch.no_grad():
        return model(input_ids=ids).logits.float()
