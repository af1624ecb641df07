"""Lesson 06's other base: what must a base have learned for instruction tuning to generalize?

"prose" has the shipped base's size, tokenizer and seed, and was pretrained on statements, entries
and stories only: on no comprehension text, where an earlier mention decides what is stated next,
and on nothing about the skills (lists, sums, forms).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.errors import CourseError
from ift_course.paths import results_dir
from ift_course.profile import Profile
from ift_course.training.pretrain import Phase, PretrainConfig

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SHIPPED = "shipped"
CONFIGS = {"prose": PretrainConfig(phases=(Phase(1_500_000, 3e-3, 0.0, 0.0),), batch_size=8)}


def load_base(name: str, profile: Profile) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a base of lesson 06 and its tokenizer.

    Args:
        name: "shipped" is the profile's own base. "prose" exists for the embedded base only; it is
            pretrained at first use, resumably, in a few minutes on two cores.
        profile: whose base to load.

    Raises:
        CourseError: there is no such base, or the profile's base is not the embedded one.
    """
    from ift_course.models.merge import open_folder
    from ift_course.training.open_model import load

    if name == SHIPPED:
        return load("base", profile=profile.name)
    if name not in CONFIGS:
        known = ", ".join([SHIPPED, *CONFIGS])
        raise CourseError(f'There is no base "{name}" in lesson 06; choose one of {known}.')
    if profile.base_model != "embedded":
        raise CourseError(
            f'The base "{name}" differs from the course\'s own in its pretraining data; profile '
            f"{profile.name} starts from a model that others pretrained. Use --profile tiny."
        )
    return open_folder(base_folder(name, profile))


def base_folder(name: str, profile: Profile) -> Path:
    """The folder of the pretrained base, which is made first if it is missing."""
    from filelock import FileLock

    from ift_course.models.save import save
    from ift_course.training.pretrain import pretrain

    folder = results_dir(profile.name) / "models" / f"base-{name}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "config.json").exists():
            result = pretrain(CONFIGS[name], folder.with_name(f"{folder.name}.work"))
            save(_as_shipped(result.model), result.tokenizer, folder)
    return folder


def _as_shipped(model: PreTrainedModel) -> PreTrainedModel:
    """The weights in bfloat16, the precision in which the course's base is shipped."""
    import torch

    # The wrapper around `to` in transformers hides its signature.
    return model.to(torch.bfloat16)  # pyright: ignore[reportArgumentType]
