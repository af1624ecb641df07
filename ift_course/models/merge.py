"""Models by name or folder, adapters included: beside their base, or merged into its weights."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.data.chat_templates import stop_at_end_of_turn
from ift_course.data.hub import first_sentence
from ift_course.errors import CourseError
from ift_course.models.fingerprint import read_base
from ift_course.models.folders import ADAPTER_CONFIG, check_adapter, is_adapter, read_json
from ift_course.models.load import base_folder, load_whole, local_folder
from ift_course.models.lora_adapters import base_name, put_beside
from ift_course.models.quiet import quiet
from ift_course.profile import get_profile

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    Loaded = tuple[PreTrainedModel, PreTrainedTokenizerBase]

# How far merged logits may be off, as a share of the largest: rounding of the weights only.
TOLERANCE = {"float32": 1e-4, "float16": 2e-2, "bfloat16": 1e-1}


class CannotMerge(CourseError):
    """The adapter is whole and fits its base, but is no change of its weights."""


@dataclass(frozen=True)
class Merged:
    """An ordinary model, and how its logits compare on a probe, as shares of the largest logit."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    base: str
    difference: float  # between the merged model and base plus adapter: rounding
    effect: float  # between base plus adapter and the base alone: what the adapter does
    notes: list[str] = field(default_factory=list)  # what could not be checked about the base


def open_model(
    name: str | Path = "base",
    *,
    profile: str | None = None,
    dtype: "torch.dtype | None" = None,
    four_bit: bool = False,
) -> "Loaded":
    """A model in evaluation mode and its tokenizer.

    Args:
        name: "base" (the profile's base model), the path of any Hugging Face model folder, or a
            hub id. The folder of an adapter gives its base model with the adapter merged into it.
        profile: a name in `ift_course.profile.PROFILES`; None means IFT_PROFILE or "tiny".
        dtype: None chooses float32 on a CPU and half precision on a GPU, where the model is put.
        four_bit: load the linear layers as NF4 (`models.quantize`): what QLoRA trains adapters on.

    Raises:
        CourseError: nothing loadable is there; the sentence says which file and what to do.
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
    folder: str | Path, dtype: "torch.dtype | None" = None, four_bit: bool = False
) -> "Loaded":
    """Load any Hugging Face model folder, or an adapter's with its base.

    Raises:
        CourseError: it is neither, or is damaged.
    """
    folder = Path(folder)
    if not is_adapter(folder):
        return load_whole(folder, dtype, four_bit)
    if four_bit:
        raise CourseError(
            f"{folder} holds an adapter, which must be merged before its model can be quantized: "
            f"ift merge {folder} --out models/merged"
        )
    merged = merge(folder, dtype=dtype)
    return merged.model, merged.tokenizer


def attach(
    folder: str | Path,
    base: str | Path | None = None,
    *,
    dtype: "torch.dtype | None" = None,
    four_bit: bool = False,
) -> "tuple[PeftModel, PreTrainedTokenizerBase]":
    """The base model with the adapter beside its weights, in evaluation mode, and the tokenizer.

    Args:
        folder: where the adapter lies.
        base: where the base model is now; None takes what the adapter says.
        dtype: how the base is loaded, as in `open_model`.
        four_bit: likewise.

    Raises:
        CourseError: the folder holds no adapter or a damaged one, its base is not there, or the
            two do not belong together.
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
    return put_beside(model, tokenizer, folder, name)


def merge(
    folder: str | Path, base: str | Path | None = None, *, dtype: "torch.dtype | None" = None
) -> Merged:
    """The adapter added to its base's weights: an ordinary model, as fast as the base.

    The base is loaded in full precision, also when the adapter was trained on 4-bit weights: merged
    into those, the sum would be rounded to 4 bits again. Logits before and after are compared.

    Raises:
        CannotMerge: the adapter does not change weights (prompt tuning), changes two weights that
            are one, or its base is stored in 4 bits.
        CourseError: as `attach`; or the merged model computes something else.
    """
    adapted, tokenizer = attach(folder, base, dtype=dtype)
    if obstacle := _obstacle(adapted):
        raise CannotMerge(
            f"The adapter in {folder} cannot be merged, because {obstacle}; "
            f"`ift chat --model {folder}` uses it beside its base."
        )
    try:
        with adapted.disable_adapter():
            alone = _probe(adapted, tokenizer)
        beside = _probe(adapted, tokenizer)
        model = unload(adapted)
    except Exception as error:  # peft raises what its many kinds of adapters raise
        raise CannotMerge(
            f"The adapter in {folder} cannot be merged, because peft does not do it for this kind "
            f"({first_sentence(error)}); `ift chat --model {folder}` uses it beside its base."
        ) from error
    largest = beside.abs().max().item()
    difference = (_probe(model, tokenizer) - beside).abs().max().item() / largest
    allowed = TOLERANCE[str(model.dtype).removeprefix("torch.")]
    if not difference <= allowed:  # NaN is not
        raise CourseError(
            f"Merged, the model of {folder} computes something else than base and adapter do (its "
            f"logits differ by {difference:.1g} of the largest, {allowed:g} is rounding); nothing "
            "was written: the adapter is damaged, or made by a version of peft that differs."
        )
    effect = (beside - alone).abs().max().item() / largest
    stop_at_end_of_turn(model, tokenizer)
    base_path = model.name_or_path
    model.config._name_or_path = str(folder)  # what is tuned further says what it was made from
    name = str(base or base_name(folder))
    return Merged(model, tokenizer, name, difference, effect, _notes(Path(folder), name, base_path))


def unload(model: "PeftModel") -> "PreTrainedModel":
    """The adapters added to the weights, and the model without them."""
    with quiet():
        return model.merge_and_unload()


def _notes(folder: Path, name: str, base_path: str) -> list[str]:
    """What nobody could check: a foreign adapter on a base of another name."""
    if read_base(folder):
        return []
    own = read_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
    if not own or Path(str(own)).expanduser().exists() or str(own) == name:
        return []
    return [
        f"The adapter says that it belongs to {own}; whether {name} is the same model cannot be "
        "checked."
    ]


def _obstacle(adapted: "PeftModel") -> str | None:
    """Why the adapter cannot become a part of the weights, after "because"; None if it can."""
    config = adapted.active_peft_config
    kind = getattr(config.peft_type, "value", config.peft_type)
    if config.is_prompt_learning or not hasattr(adapted.base_model, "merge_and_unload"):
        return f"{kind} adds inputs or layers to the model and changes no weights"
    model = adapted.get_base_model()
    if getattr(model.config, "quantization_config", None):
        return (
            f"its base {model.name_or_path} is stored quantized, and the sum would be rounded "
            "(give the same model in full precision with --base)"
        )
    from peft.tuners.tuners_utils import BaseTunerLayer

    ends = (model.get_input_embeddings(), model.get_output_embeddings())
    adapted_ends = [
        name
        for name, module in model.named_modules()
        if module in ends and isinstance(module, BaseTunerLayer) and _has_low_rank(module)
    ]
    if model.config.get_text_config().tie_word_embeddings and adapted_ends:
        return (
            f"it changes {adapted_ends[0]} alone, while input and output embedding of this model "
            "are one matrix, so that merging would change both (tune without that target)"
        )
    return None


def _has_low_rank(module: "torch.nn.Module") -> bool:
    return bool(getattr(module, "lora_A", None) or getattr(module, "lora_embedding_A", None))


def _probe(model: "torch.nn.Module", tokenizer: "PreTrainedTokenizerBase") -> "torch.Tensor":
    """Logits, float32, of a question and of arbitrary tokens: every adapter has a part in them."""
    import torch

    words = tokenizer("What is the capital of France?", add_special_tokens=False)["input_ids"]
    arbitrary = torch.randint(len(tokenizer), (32,), generator=torch.Generator().manual_seed(0))
    ids = torch.tensor([[*words, *arbitrary.tolist()]], device=model.device)
    with torch.no_grad():
        return model(input_ids=ids).logits.float()
