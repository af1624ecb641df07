"""Lesson 06's other base: what does a base have to bring along, for tuning to carry over?

"prose" has the shipped base's size, tokenizer and seed, and has read statements, entries and
stories only: no reading text, where an earlier mention decides what is stated next, and nothing
about the skills (lists, sums, forms).
"""

from __future__ import annotations

from pathlib import Path

from ift_course.errors import CourseError
from ift_course.paths import results_dir
from ift_course.profile import Profile
from ift_course.training.pretrain import Phase, PretrainConfig

SHIPPED = "shipped"
CONFIGS = {"prose": PretrainConfig(phases=(Phase(1_500_000, 3e-3, 0.0, 0.0),), batch_size=8)}


def load_base(name: str, profile: Profile):
    """(model, tokenizer) of the base called so, fresh.

    "shipped" is the profile's own. "prose" exists for the embedded base only, and is pretrained at
    first use, resumably, in a few minutes on two cores.
    Raises CourseError for other names, or another profile.
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
            f'The base "{name}" differs from the course\'s own in what it has read; profile '
            f"{profile.name} starts from a model of others. Use --profile tiny."
        )
    return open_folder(base_folder(name, profile))


def base_folder(name: str, profile: Profile) -> Path:
    """Where the pretrained base lies, after making it if it is missing."""
    from filelock import FileLock

    from ift_course.models.save import save
    from ift_course.training.pretrain import pretrain

    folder = results_dir(profile.name) / "models" / f"base-{name}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "config.json").exists():
            run = pretrain(CONFIGS[name], folder.with_name(f"{folder.name}.work"))
            save(_as_shipped(run.model), run.tokenizer, folder)
    return folder


def _as_shipped(model):
    """The weights in the precision in which the course's base is shipped."""
    import torch

    return model.to(torch.bfloat16)
