"""Adapter folders: a few MB that belong to a base model, and how the two become one again."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.data.hub import first_sentence
from ift_course.errors import CourseError
from ift_course.models.quiet import quiet

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

CONFIG = "adapter_config.json"
WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
# How far merged logits may be off, as a share of the largest: rounding of the weights only.
TOLERANCE = {"float32": 1e-4, "float16": 2e-2, "bfloat16": 1e-1}


@dataclass(frozen=True)
class Merged:
    """An ordinary model, and how its logits compare on a probe, as shares of the largest logit."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    base: str
    difference: float  # between the merged model and base plus adapter: rounding
    effect: float  # between base plus adapter and the base alone: what the adapter does


def is_adapter(folder: str | Path) -> bool:
    """Whether `folder` holds an adapter and not a model of its own."""
    return (Path(folder) / CONFIG).exists() and not (Path(folder) / "config.json").exists()


def attach(
    folder: str | Path,
    base: str | Path | None = None,
    *,
    dtype: "torch.dtype | None" = None,
    four_bit: bool = False,
) -> "tuple[PeftModel, PreTrainedTokenizerBase]":
    """The base model with the adapter beside its weights, in evaluation mode, and the tokenizer.

    base: where the base model is now; None takes what the adapter says. dtype and four_bit: how the
        base is loaded, as in `load`.

    Raises CourseError when the folder holds no adapter or a damaged one, when its base is not
    there, or when the two do not fit.
    """
    from ift_course.models.load import load

    folder = Path(folder)
    _check(folder)
    name = str(base or base_name(folder))
    try:
        model, tokenizer = load(name, dtype=dtype, four_bit=four_bit)
    except CourseError as error:
        raise CourseError(
            f"The adapter in {folder} belongs to the model {name}, which cannot be loaded here; "
            f"say where it is with --base. ({error})"
        ) from error
    with quiet():
        from peft import PeftModel
        from transformers import AutoTokenizer

        if (folder / "tokenizer.json").exists():
            tokenizer = AutoTokenizer.from_pretrained(folder)
        if len(tokenizer) > model.get_input_embeddings().num_embeddings:
            model.resize_token_embeddings(len(tokenizer))  # the adapter brings the new rows
        try:
            adapted = PeftModel.from_pretrained(model, folder)
        except (ValueError, RuntimeError, KeyError, TypeError, OSError) as error:
            raise CourseError(
                f"The adapter in {folder} does not fit the model {name} ({first_sentence(error)}); "
                "give the model it was trained on with --base."
            ) from error
    _stop_where_the_tokenizer_does(adapted, tokenizer)
    return adapted.eval(), tokenizer


def merge(
    folder: str | Path, base: str | Path | None = None, *, dtype: "torch.dtype | None" = None
) -> Merged:
    """The adapter added to its base's weights: an ordinary model, as fast as the base.

    The base is loaded in full precision, also when the adapter was trained on 4-bit weights: merged
    into those, the sum would be rounded to 4 bits again. Logits before and after are compared.

    Raises CourseError as `attach`, and when the merged model computes something else.
    """
    adapted, tokenizer = attach(folder, base, dtype=dtype)
    with adapted.disable_adapter():
        alone = _probe(adapted, tokenizer)
    beside = _probe(adapted, tokenizer)
    model = unload(adapted)
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
    model.config._name_or_path = str(folder)  # what is tuned further says what it was made from
    return Merged(model, tokenizer, str(base or base_name(folder)), difference, effect)


def unload(model: "PeftModel") -> "PreTrainedModel":
    """The adapters added to the weights, and the model without them."""
    with quiet():
        whole = model.merge_and_unload()
    whole.__dict__.pop("peft_config", None)  # peft 0.18 leaves it, and it says: an adapter
    return whole


def base_name(folder: str | Path) -> str:
    """The base model an adapter says it belongs to: a folder, or a hub id."""
    name = _config(Path(folder)).get("base_model_name_or_path")
    if not name:
        raise CourseError(f"{Path(folder) / CONFIG} does not name a base model; give it by --base.")
    return name


def size_mb(folder: str | Path) -> float:
    """The adapter's weights on disk, in MB of 10^6 bytes."""
    return (
        sum(p.stat().st_size for p in (Path(folder) / name for name in WEIGHTS) if p.exists()) / 1e6
    )


def _check(folder: Path) -> None:
    from ift_course.models.load import check_safetensors

    remedy = "give the folder that `ift sft --method qlora --out` or PEFT's save_pretrained wrote"
    if not folder.is_dir():
        raise CourseError(f"There is no folder {folder}; {remedy}.")
    if not (folder / CONFIG).exists():
        if (folder / "config.json").exists():
            raise CourseError(f"{folder} is a whole model already: there is nothing to merge.")
        raise CourseError(f"{folder} is not an adapter folder: it has no {CONFIG}; {remedy}.")
    _config(folder)
    if not any((folder / name).exists() for name in WEIGHTS):
        raise CourseError(f"{folder} has no adapter weights ({WEIGHTS[0]}); copy them again.")
    check_safetensors(folder)


def _config(folder: Path) -> dict:
    try:
        return json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except ValueError:
        raise CourseError(
            f"{folder / CONFIG} is damaged (not valid JSON); copy it again."
        ) from None


def _probe(model: "torch.nn.Module", tokenizer: "PreTrainedTokenizerBase") -> "torch.Tensor":
    """Logits, float32, of a question and of arbitrary tokens: every adapter has a part in them."""
    import torch

    words = tokenizer("What is the capital of France?", add_special_tokens=False)["input_ids"]
    arbitrary = torch.randint(len(tokenizer), (32,), generator=torch.Generator().manual_seed(0))
    ids = torch.tensor([[*words, *arbitrary.tolist()]], device=model.device)
    with torch.no_grad():
        return model(input_ids=ids).logits.float()


def _stop_where_the_tokenizer_does(model, tokenizer: "PreTrainedTokenizerBase") -> None:
    """A base that never chatted got an end of turn; generation has to know it."""
    known = model.generation_config.eos_token_id
    ends = known if isinstance(known, list) else [known]
    if tokenizer.eos_token_id not in ends:
        model.generation_config.eos_token_id = [
            tokenizer.eos_token_id, *(end for end in ends if end is not None)
        ]  # fmt: skip


def source_of(name: str | Path, model: "PreTrainedModel") -> str:
    """What an adapter should say it belongs to: a hub id as it was given, else a whole path."""
    if re.fullmatch(r"[\w.-]+/[\w.-]+", str(name)) and not Path(name).expanduser().exists():
        return str(name)
    return str(Path(model.name_or_path).absolute())
