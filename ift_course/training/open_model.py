"""One door to every model of the course: `load("base")`, `load("sft")`, a folder, or a hub id."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from ift_course.errors import CourseError
from ift_course.models import merge
from ift_course.models.folders import is_adapter
from ift_course.models.load import local_folder
from ift_course.profile import get_profile
from ift_course.training.assistant import assistant_folder

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load(
    name: str | Path = "base",
    *,
    profile: str | None = None,
    dtype: torch.dtype | None = None,
    four_bit: bool = False,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A model in evaluation mode and its tokenizer.

    Args:
        name: "base" (the profile's base model), "sft" (the base tuned on the profile's examples,
            made once and kept), the path of any Hugging Face model folder, or a hub id.
            The folder of an adapter gives its base model with the adapter merged into it.
        profile: a name in `ift_course.profile.PROFILES`; None means IFT_PROFILE or "tiny".
        dtype: None chooses float32 on a CPU and half precision on a GPU, where the model is put.
        four_bit: load the linear layers as NF4 (`models.quantize`): what QLoRA trains adapters on.

    Raises:
        CourseError: nothing loadable is there; the sentence says which file and what to do.
    """
    path = folder_of(name, profile)
    return merge.open_model(path, profile=profile, dtype=dtype, four_bit=four_bit)


def folder_of(name: str | Path, profile: str | None = None) -> str | Path:
    """The folder of the model called "sft", made if need be; any other name as it is."""
    return assistant_folder(get_profile(profile)) if name == "sft" else name


def load_to_answer(
    name: str, *, base: str | None = None, profile: str | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, list[str]]:
    """A model that answers, its tokenizer, and what could not be checked about it.

    An adapter is merged into its base; one that cannot be merged is attached to it.

    Args:
        name: as for `load`.
        base: the base of an adapter, if it is not where the adapter says.
        profile: as for `load`.

    Raises:
        CourseError: nothing loadable is there, or `base` is given for a whole model.
    """
    base = base and str(folder_of(base, profile))
    folder = local_folder(name)
    if folder is None or not is_adapter(folder):
        if base:
            raise CourseError(f"{name} is not an adapter, so it has no base; leave out --base.")
        return *load(name, profile=profile), []
    try:
        merged = merge.merge(folder, base)
    except merge.CannotMerge:
        adapted, tokenizer = merge.attach(folder, base)
        return cast("PreTrainedModel", adapted), tokenizer, []  # it generates like one
    return merged.model, merged.tokenizer, merged.notes
