"""Export a model: as a clean Hugging Face folder with a card, or as one GGUF file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ift_course.data.chat_templates import active_template, stop_at_end_of_turn
from ift_course.data.hub import first_sentence
from ift_course.disk import disk_errors, refuse_without_space
from ift_course.errors import CourseError
from ift_course.export import model_card
from ift_course.export.gguf_file import (
    BYTES_PER_WEIGHT,
    GgufTensor,
    check_model,
    check_model_type,
    rope_settings,
    tensors,
    write_gguf,
)
from ift_course.models import folders, provenance
from ift_course.models.embeddings import embedding_rows
from ift_course.models.folders import is_adapter, read_json
from ift_course.models.licenses import carry_license, license_of, terms_of
from ift_course.models.lora_adapters import base_name
from ift_course.models.merge import merge
from ift_course.models.read_gguf import read_gguf
from ift_course.models.save import save
from ift_course.training.open_model import load

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

FOLDER_DTYPES = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}
PROBE = [
    {"role": "user", "content": "What is the capital of France?\nSay it in one word."},
    {"role": "assistant", "content": "Paris."},
    {"role": "user", "content": "And of 12 other countries?"},
]


@dataclass(frozen=True)
class ExportSource:
    """What is exported.

    Attributes:
        model: A whole model in float32.
        tokenizer: Its tokenizer.
        folder: The folder it came from.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    folder: Path


@dataclass(frozen=True)
class ReadBack:
    """How a GGUF file, loaded by transformers, compares with the model it was made from.

    Attributes:
        logit_difference: The largest difference of two logits, as a share of the largest logit;
            None if it cannot be measured.
        same_tokens: Whether a conversation gives the same token ids, chat template included.
    """

    logit_difference: float | None
    same_tokens: bool


def load_source(name: str, base: str | None = None, profile: str | None = None) -> ExportSource:
    """Load what is to be exported; an adapter is merged into its base.

    Args:
        name: A model folder, an adapter folder, "base", "sft", or a hub id.
        base: The base of an adapter, if it is not where the adapter says.
        profile: The profile that "base" and "sft" belong to.

    Raises:
        CourseError: As `load` and `merge` do.
    """
    import torch

    folder = Path(name).expanduser()
    if is_adapter(folder):
        merged = merge(folder, base, dtype=torch.float32)
        return ExportSource(merged.model, merged.tokenizer, folder)
    if base:
        raise CourseError(f"{name} is not an adapter, so it has no base; leave out --base.")
    model, tokenizer = load(name, profile=profile, dtype=torch.float32)
    stop_at_end_of_turn(model, tokenizer)
    return ExportSource(model, tokenizer, Path(str(model.name_or_path)))


def to_folder(source: ExportSource, out: Path, weight_type: str | None = None) -> Path:
    """Write the model, its tokenizer and a card that says what is known about it.

    Args:
        source: The model.
        out: The new folder.
        weight_type: A key of `FOLDER_DTYPES`; None keeps the dtype of the source's folder.

    Returns:
        The folder.

    Raises:
        CourseError: `out` exists, or the disk is full.
    """
    import torch

    refuse_existing(out)
    facts = model_card.read_facts(source.folder, out.name)
    dtype = getattr(torch, FOLDER_DTYPES[weight_type]) if weight_type else stored_dtype(source)
    refuse_without_space(out, source.model.num_parameters() * dtype.itemsize, "The export")
    # The stubs of transformers lose the `self` of a wrapped method.
    model = source.model.to(dtype=dtype)  # pyright: ignore[reportCallIssue]
    model.config._name_or_path = ""  # the path on this machine is private
    folder = save(model, source.tokenizer, out)
    with disk_errors(folder):
        model_card.write_card(facts, model, bool(active_template(source.tokenizer)), folder)
        provenance.copy_record(source.folder, folder)
        carry_license(source.folder, folder)
    return folder


def to_gguf(
    source: ExportSource, out: Path, weight_type: str = "f16", *, verify: bool = True
) -> ReadBack | None:
    """Write one GGUF file, load it again and compare it with the model.

    Beside a model under terms that bind its users, their notice is written.

    Args:
        source: The model.
        out: The new file.
        weight_type: A key of `BYTES_PER_WEIGHT`.
        verify: Whether to load and compare the file.

    Returns:
        The comparison, or None without `verify`.

    Raises:
        CourseError: `out` exists, the disk is full, llama.cpp does not support the model, or the
            file does not read back as the same model; in that case it is removed.
    """
    refuse_existing(out)
    check_model(source.model)
    refuse_without_space(
        out, int(source.model.num_parameters() * BYTES_PER_WEIGHT[weight_type]), "The export"
    )
    write_gguf(
        source.model,
        source.tokenizer,
        out,
        weight_type=weight_type,
        name=out.stem,
        license_=license_of(source.folder),
    )
    try:
        comparison = read_back(source, out, weight_type) if verify else None
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    if terms := terms_of(source.folder):
        out.with_suffix(".NOTICE").write_text(f"{terms.notice}\n", encoding="utf-8")
    return comparison


def read_back(source: ExportSource, path: Path, weight_type: str) -> ReadBack:
    """Compare a GGUF file, loaded by transformers, with the model it was made from.

    Every weight must be the one that was stored. Logits differ by the rounding to `weight_type`;
    they cannot be compared if positions are scaled, because transformers does not read the scaling.

    Args:
        source: The model.
        path: The file.
        weight_type: What the weights were stored as.

    Raises:
        CourseError: A weight differs.
    """
    import torch

    model, tokenizer = _read(source, path)
    stored = {tensor.name: tensor for tensor in tensors(model, weight_type)}
    for written in tensors(source.model, weight_type):
        # The file's reader drops the factors of scaled positions.
        if written.name != "rope_freqs.weight" and not _equal(written, stored.get(written.name)):
            raise CourseError(
                f"{path} was removed: read back, its tensor {written.name} is not the one that was "
                "written; use --to hf."
            )
    ids = _probe(source)
    difference = None
    if rope_settings(source.model.config).get("rope_type", "default") == "default":
        with torch.no_grad():
            ours = source.model(ids.to(source.model.device)).logits.cpu()
            theirs = model(ids).logits
        difference = ((ours - theirs).abs().max() / ours.abs().max()).item()
    return ReadBack(difference, _conversation(tokenizer) == _conversation(source.tokenizer))


def _read(source: ExportSource, path: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load the file with transformers, with the model's own sizes where it misreads those."""
    try:
        try:
            return read_gguf(path)
        except RuntimeError:  # shapes that do not fit
            return read_gguf(path, source.model.config)
    except Exception as error:  # the readers of twenty formats raise many kinds of errors
        raise CourseError(
            f"{path} was removed: transformers cannot read it back ({first_sentence(error)}); use "
            "--no-verify to keep the file unchecked, or --to hf."
        ) from error


def _equal(written: GgufTensor, read: GgufTensor | None) -> bool:
    """Return whether rounding what was read once more gives what was written."""
    import numpy
    from gguf import quants

    if read is None or read.type != written.type:
        return False
    one, two = (quants.dequantize(x.data, x.type) for x in (written, read))
    # The scale of a block is rounded once more, so its last bit may change.
    return one.shape == two.shape and numpy.allclose(one, two, rtol=2**-9, atol=1e-7)


def _probe(source: ExportSource) -> torch.Tensor:
    """Return token ids of a conversation or a text and of 32 arbitrary tokens, shape (1, n)."""
    import torch

    ids = _conversation(source.tokenizer)
    ids = ids or source.tokenizer("The capital of France is")["input_ids"]
    size = embedding_rows(source.model)
    arbitrary = torch.randint(size, (32,), generator=torch.Generator().manual_seed(0))
    return torch.tensor([[*ids, *arbitrary.tolist()]])


def _conversation(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the token ids of a conversation; none without a chat template."""
    if not active_template(tokenizer):
        return []
    ids = tokenizer.apply_chat_template(PROBE, add_generation_prompt=True, return_dict=False)
    return cast("list[int]", ids)


def stored_dtype(source: ExportSource) -> torch.dtype:
    """Return the dtype of the weights on disk; float32 if the folder does not say."""
    import torch

    return getattr(torch, str(folders.stored_dtype(source.folder)), torch.float32)


def refuse_unwritable(name: str, base: str | None = None) -> None:
    """Raise CourseError for a model that GGUF cannot be written for, before it is loaded.

    Only configurations on this disk are checked; others are checked once the model is loaded.

    Args:
        name: The model, as in `load_source`.
        base: The base of an adapter, as in `load_source`.
    """
    folder = Path(name).expanduser()
    if is_adapter(folder):
        folder = Path(base or base_name(folder)).expanduser()
    if (folder / "config.json").exists():
        check_model_type(read_json(folder / "config.json").get("model_type"))


def refuse_existing(out: Path) -> None:
    """Raise CourseError if `out` exists already."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CourseError(f"{out} exists already; choose another --out, or delete it.")
