"""The models that profiles find in PyPI packages, by the name of the package."""

from __future__ import annotations

from ift_course.models.gemma import GEMMA
from ift_course.models.smollm2 import SMOLLM2
from ift_course.models.wheel_model import WheelModel
from ift_course.profile import Profile

WHEELS = {model.package: model for model in (GEMMA, SMOLLM2)}


def wheel_model(profile: Profile) -> WheelModel | None:
    """Return the model in PyPI packages that is a profile's base, if it is one."""
    kind, _, package = profile.base_model.partition(":")
    return WHEELS[package] if kind == "wheel" else None
