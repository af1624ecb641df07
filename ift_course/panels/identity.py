"""What a panel depends on, and in which respect a stored one no longer agrees."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ift_course.evaluation.eval_result import file_sha256
from ift_course.models.checksums import SUMS
from ift_course.models.fingerprint import base_identity, fingerprint
from ift_course.models.load import base_folder
from ift_course.models.wheels import wheel_model
from ift_course.panels.panel import Identity, Panel
from ift_course.panels.real_part import RealPart
from ift_course.paths import cache_dir
from ift_course.profile import Profile


def current_identity(part: RealPart, profile: Profile) -> Identity:
    """What a measurement that is made now depends on.

    Raises:
        CourseError: The profile's base is not installed.
    """
    return Identity(
        base=base_identity(profile),
        weights=weights_digest(base_folder(profile)),
        data=data_digests(part),
        recipe=plain_recipe(part),
    )


def weights_digest(folder: Path) -> str:
    """Return 12 hex digits for the weights in a model folder; only a sample of them is read."""
    return hashlib.sha256(json.dumps(fingerprint(folder)).encode()).hexdigest()[:12]


def data_digests(part: RealPart) -> dict[str, str]:
    """The SHA-256 of each file that a real part reads."""
    return {name: file_sha256(path) for name, path in part.data.items()}


def plain_recipe(part: RealPart) -> dict[str, object]:
    """The recipe as JSON gives it back, so that it can be compared with a stored one."""
    return json.loads(json.dumps(dict(part.recipe)))


def differences(panel: Panel, part: RealPart, profile: Profile) -> list[str]:
    """Say in which respects a stored panel no longer agrees with what would be computed now.

    Nothing is loaded, downloaded or converted: the weights are compared where they lie in the
    cache already, and otherwise only the name of the base is.

    Args:
        panel: The stored panel.
        part: What the lesson measures now.
        profile: The profile whose base it measures.

    Returns:
        A clause for each difference, such as "the data file test has changed".
    """
    clauses = []
    if panel.identity.base != base_identity(profile) or _has_other_weights(panel, profile):
        clauses.append(
            f"it was computed from other weights than those of the profile {profile.name}"
        )
    digests = data_digests(part)
    for name in sorted(digests.keys() | panel.identity.data.keys()):
        if digests.get(name) != panel.identity.data.get(name):
            clauses.append(f"the data file {name} has changed")
    recipe, stored = plain_recipe(part), panel.identity.recipe
    for name in sorted(recipe.keys() | stored.keys()):
        if recipe.get(name) != stored.get(name):
            clauses.append(f"the setting {name} was {stored.get(name)} and is {recipe.get(name)}")
    return clauses


def _has_other_weights(panel: Panel, profile: Profile) -> bool:
    wheel = wheel_model(profile)
    folder = cache_dir() / wheel.folder if wheel else None
    if folder is None or not (folder / SUMS).exists():
        return False
    return weights_digest(folder) != panel.identity.weights
