"""One door to every model of the course: `load("base")`, `load("sft")`, a folder, or a hub id."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.models import merge
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
