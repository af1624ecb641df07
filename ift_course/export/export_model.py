"""Taking a model home: as a clean Hugging Face folder with a card, or as one GGUF file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.data.chat_templates import active_template, stop_at_end_of_turn
from ift_course.data.hub import first_sentence
from ift_course.disk import disk_errors, refuse_without_space
from ift_course.errors import CourseError
from ift_course.export import model_card
from ift_course.export.gguf_file import TYPES, check, check_type, rope, tensors, write_gguf
from ift_course.models import lora_adapters, provenance
from ift_course.models.folders import read_json
from ift_course.models.read_gguf import read_gguf
from ift_course.models.save import save
from ift_course.training.open_model import load

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

FOLDER_TYPES = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}
PROBE = [
    {"role": "user", "content": "What is the capital of France?\nSay it in one word."},
    {"role": "assistant", "content": "Paris."},
    {"role": "user", "content": "And of 12 other countries?"},
]


@dataclass(frozen=True)
class Source:
    """A model in float32, whole, and the folder it came from."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    folder: Path


@dataclass(frozen=True)
class ReadBack:
    """How a GGUF file computes, loaded by transformers, next to the model it was made from."""

    logits: float | None  # largest difference, as a share of the largest logit
    same_tokens: bool  # whether a conversation gives the same ids, template included


def source(name: str, base: str | None = None, profile: str | None = None) -> Source:
    """Load what is to be exported; an adapter is merged into its base.

    Raises CourseError as `load` and `adapters.merge` do.
    """
    import torch

    folder = Path(name).expanduser()
    if lora_adapters.is_adapter(folder):
        merged = lora_adapters.merge(folder, base, dtype=torch.float32)
        return Source(merged.model, merged.tokenizer, folder)
    if base:
        raise CourseError(f"{name} is no adapter, so it has no other base; leave --base out.")
    model, tokenizer = load(name, profile=profile, dtype=torch.float32)
    stop_at_end_of_turn(model, tokenizer)
    return Source(model, tokenizer, Path(model.name_or_path))


def to_folder(found: Source, out: Path, kind: str | None = None) -> Path:
    """Write the model, its tokenizer and a card that says what is known of it.

    kind: one of FOLDER_TYPES, or None for what the model was stored in.

    Raises CourseError when `out` exists, or the disk is full.
    """
    import torch

    refuse_existing(out)
    told = model_card.known(found.folder, out.name)
    dtype = getattr(torch, FOLDER_TYPES[kind]) if kind else stored_type(found)
    refuse_without_space(out, found.model.num_parameters() * dtype.itemsize, "The export")
    model = found.model.to(dtype)
    model.config._name_or_path = ""  # a path on this machine is nobody else's business
    folder = save(model, found.tokenizer, out)
    with disk_errors(folder):
        model_card.write_card(told, model, bool(active_template(found.tokenizer)), folder)
        provenance.carry(found.folder, folder)
    return folder


def to_gguf(found: Source, out: Path, kind: str = "f16", *, verify: bool = True) -> ReadBack | None:
    """Write one GGUF file and, with `verify`, load it again and compare it with the model.

    Raises CourseError when `out` exists, the disk is full, llama.cpp has no such model, or the file
    reads back as another model; then it is removed.
    """
    refuse_existing(out)
    check(found.model)
    refuse_without_space(out, found.model.num_parameters() * TYPES[kind], "The export")
    write_gguf(found.model, found.tokenizer, out, kind=kind, name=out.stem)
    if not verify:
        return None
    try:
        return read_back(found, out, kind)
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def read_back(found: Source, path: Path, kind: str) -> ReadBack:
    """Compare a GGUF file, through transformers, with the model it was made from.

    Every weight must be the one that was stored, and is looked at. Logits differ by what the
    rounding to `kind` costs; there are none to compare with where positions are stretched, which
    transformers does not read.

    Raises CourseError when a weight differs.
    """
    import torch

    model, tokenizer = _read(found, path)
    read = {tensor.name: tensor for tensor in tensors(model, kind)}
    for written in tensors(found.model, kind):
        same = read.get(written.name)
        if written.name != "rope_freqs.weight" and not _equal(written, same):
            raise CourseError(
                f"{path} was removed: read back, its tensor {written.name} is not the one that was "
                "written; use --to hf."
            )
    ids = _probe(found)
    logits = None
    if rope(found.model.config).get("rope_type", "default") == "default":
        with torch.no_grad():
            ours, theirs = found.model(ids.to(found.model.device)).logits.cpu(), model(ids).logits
        logits = ((ours - theirs).abs().max() / ours.abs().max()).item()
    return ReadBack(logits, _conversation(tokenizer) == _conversation(found.tokenizer))


def _read(found: Source, path: Path) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """The file through transformers, with the model's own sizes where it misreads those."""
    try:
        try:
            return read_gguf(path)
        except RuntimeError:  # shapes that do not fit
            return read_gguf(path, found.model.config)
    except Exception as error:  # a reader of twenty formats raises what it likes
        raise CourseError(
            f"{path} was removed: transformers cannot read it back ({first_sentence(error)}); use "
            "--no-verify to keep the file unchecked, or --to hf."
        ) from error


def _equal(written, read) -> bool:
    """Whether rounding a second time what was read gives what was written: nothing was lost."""
    import numpy
    from gguf import quants

    if read is None or read.kind != written.kind:
        return False
    one, two = (quants.dequantize(x.data, x.kind) for x in (written, read))
    # A block's scale is rounded anew: its last bit may turn over.
    return one.shape == two.shape and numpy.allclose(one, two, rtol=2**-9, atol=1e-7)


def _probe(found: Source) -> "torch.Tensor":
    import torch

    words = (
        _conversation(found.tokenizer) or found.tokenizer("The capital of France is")["input_ids"]
    )
    size = found.model.get_input_embeddings().num_embeddings
    arbitrary = torch.randint(size, (32,), generator=torch.Generator().manual_seed(0))
    return torch.tensor([[*words, *arbitrary.tolist()]])


def _conversation(tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    if not active_template(tokenizer):
        return []
    return tokenizer.apply_chat_template(PROBE, add_generation_prompt=True, return_dict=False)


def stored_type(found: Source) -> "torch.dtype":
    """The type of the weights on disk; float32 where the folder does not say."""
    import json

    import torch

    try:
        config = json.loads((found.folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return torch.float32
    return getattr(torch, str(config.get("dtype") or config.get("torch_dtype")), torch.float32)


def refuse_unwritable(name: str, base: str | None = None) -> None:
    """Raise CourseError for a model that GGUF is not written for, before it is loaded.

    Looks at the configuration on disk; what is not on this disk is looked at once it is loaded.
    """
    folder = Path(name).expanduser()
    if lora_adapters.is_adapter(folder):
        folder = Path(base or lora_adapters.base_name(folder)).expanduser()
    if (folder / "config.json").exists():
        check_type(read_json(folder / "config.json").get("model_type"))


def refuse_existing(out: Path) -> None:
    """Raise CourseError when something is at `out` already."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CourseError(f"{out} exists already; choose another --out, or delete it.")
