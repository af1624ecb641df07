"""Lesson 06's other base: what must a base have learned for instruction tuning to generalize?

"prose" is the shipped base after its first phase of pretraining, with the same size, tokenizer and
seed. It has read statements, entries, tables and stories, but no worked task: no passage in which
somebody looks something up, and nothing about lists, sums and forms. `ift pretrain --phases 1`
makes it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ift_course.errors import CourseError
from ift_course.paths import assets_dir
from ift_course.profile import Profile

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SHIPPED = "shipped"
PROSE = "prose"


def load_base(name: str, profile: Profile) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a base of lesson 06 and its tokenizer.

    Args:
        name: "shipped" is the profile's own base; "prose" exists for the embedded base only.
        profile: whose base to load.

    Raises:
        CourseError: there is no such base, or the profile's base is not the embedded one.
    """
    from ift_course.models.merge import open_folder
    from ift_course.training.open_model import load

    if name == SHIPPED:
        return load("base", profile=profile.name)
    if name != PROSE:
        raise CourseError(
            f'There is no base "{name}" in lesson 06; choose one of {SHIPPED}, {PROSE}.'
        )
    if profile.base_model != "embedded":
        raise CourseError(
            f'The base "{name}" differs from the course\'s own in its pretraining data; profile '
            f"{profile.name} starts from a model that others pretrained. Use --profile tiny."
        )
    return open_folder(assets_dir() / PROSE)


def phases(name: str) -> dict[str, int]:
    """Phase of pretraining → tokens read, of one of lesson 06's bases.

    Args:
        name: "shipped" or "prose"; both stand for bases that come with the course.
    """
    folder = assets_dir() / ("base" if name == SHIPPED else name)
    record = json.loads((folder / "pretraining.json").read_text(encoding="utf-8"))
    return {phase["name"]: phase["tokens"] for phase in record["config"]["phases"]}
