"""The settings of a training run, as the learner declares them."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ift_course.capstone.rules import MOST_BATCH, MOST_STEPS, SETTINGS, Refusal
from ift_course.errors import CourseError


@dataclass(frozen=True)
class RunSettings:
    """How an adapter was trained, which nobody but its author knows.

    Attributes:
        steps: Optimizer steps of all stages together.
        batch_size: Rows in a step.
        learning_rate: The peak.
        seed: Of the training.
        method: "sft", or "sft+dpo" if preference training came after it.
    """

    steps: int
    batch_size: int
    learning_rate: float
    seed: int = 0
    method: str = "sft"

    def to_json(self) -> str:
        """The file that a submission holds."""
        return json.dumps(asdict(self), indent=1) + "\n"


def read_settings_file(path: Path) -> dict[str, Any]:
    """Read a learner's own file, YAML or JSON.

    Args:
        path: The file.

    Raises:
        CourseError: It cannot be read, or holds no names with values.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML, too
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CourseError(f"{path} cannot be read as YAML or JSON ({error}).") from None
    if not isinstance(content, dict):
        raise CourseError(f"{path} holds no settings; write lines such as `steps: 200`.")
    return content


def parse_settings(content: Any) -> RunSettings:
    """Check settings against the budget.

    Args:
        content: What a file held: names and values.

    Raises:
        Refusal: A setting is missing, unknown, of the wrong type, or over the budget.
    """
    if not isinstance(content, dict):
        raise _refused("holds no settings")
    names = list(RunSettings.__dataclass_fields__)
    if unknown := sorted(str(name)[:40] for name in set(content) - set(names)):
        raise _refused(f"has the unknown setting {unknown[0]!r}; it takes {', '.join(names)}")
    if missing := [x for x in ("steps", "batch_size", "learning_rate") if x not in content]:
        raise _refused(f"does not say {missing[0]}")
    for name, most in (("steps", MOST_STEPS), ("batch_size", MOST_BATCH), ("seed", 1 << 62)):
        value, least = content.get(name, 0), 0 if name == "seed" else 1
        if type(value) is not int or value < least:
            raise _refused(f"needs a whole number of at least {least} for {name}")
        if value > most:
            raise Refusal("budget", f"{value} is over the budget of {most} for {name}.")
    rate = content["learning_rate"]
    if type(rate) not in (int, float) or not math.isfinite(rate) or not 0 < rate <= 1:
        raise _refused("needs a learning_rate above 0 and at most 1")
    if content.get("method", "sft") not in ("sft", "sft+dpo"):
        raise _refused('needs "sft" or "sft+dpo" for method')
    return RunSettings(**content)


def _refused(what: str) -> Refusal:
    return Refusal("settings", f"The file of settings ({SETTINGS}) {what}.")
