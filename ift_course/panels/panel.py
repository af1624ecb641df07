"""The file of a lesson's panel: transcripts, the scores of every item, and where they are from.

A person must be able to read the file, so a run's scores are a string of digits, one for each test
item, and a list of numbers stands on one line.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ift_course.disk import atomic_write_text, disk_errors
from ift_course.errors import CourseError

FORMAT: Literal["ift-panel-1"] = "ift-panel-1"
MOST_BYTES = 200_000  # git keeps every version of the file
# A list of numbers as `json.dumps` indents it. A string cannot match: it has no raw line breaks.
NUMBERS = re.compile(r"\[\n\s+(-?[\d.eE+-]+(?:,\n\s+-?[\d.eE+-]+)*)\n\s+\]")


class Stored(BaseModel):
    """What all parts of a stored file have in common: nothing unknown, and nothing changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StoredReply(Stored):
    """What the model wrote to one question that is shown.

    Attributes:
        prompt: The question.
        text: The answer.
        finished: Whether the model ended it by itself.
    """

    prompt: str
    text: str
    finished: bool


class Measurement(Stored):
    """What one arm gave with one seed.

    Attributes:
        scores: By the metric's name, a digit for each test item: 1 or 0.
        replies: Answers to be read.
        losses: Of the training, one for each step; empty without training.
        seconds: Wall-clock time by what took it, such as "training".
        quantities: Other measured numbers by their heading, such as "tokens/s".
    """

    scores: dict[str, str] = {}
    replies: list[StoredReply] = []
    losses: list[float] = []
    seconds: dict[str, float] = {}
    quantities: dict[str, float] = {}


class Run(Measurement):
    """A measurement with its arm, its seed, and where it was made.

    Attributes:
        arm: The name of the arm.
        seed: Of everything random in it.
        date: The day (UTC), as "2026-01-02".
        machine: As "AMD EPYC, 2 cores".
        threads: Of PyTorch.
    """

    arm: str
    seed: int
    date: str
    machine: str
    threads: int


class Identity(Stored):
    """What a measurement depends on; one that was made from something else is not used.

    Attributes:
        base: Which base the profile has (`models.fingerprint.base_identity`).
        weights: Digits of its weights, as they were read from its files.
        data: The SHA-256 of each file that was read, by its name.
        recipe: The settings, as the lesson's module names them.
    """

    base: str
    weights: str
    data: dict[str, str]
    recipe: dict[str, Any]


class Contrast(Stored):
    """A difference between two arms in one metric: the second minus the first.

    Attributes:
        first: An arm.
        second: The other arm.
        metric: In which they are compared.
        at_least: Predicted before the measurement: the difference, between -1 and 1, is no smaller.
            None if nothing was predicted.
    """

    first: str
    second: str
    metric: str
    at_least: float | None = None


class Panel(Stored):
    """Everything that a lesson's real part measured.

    Attributes:
        lesson: The lesson's number, such as "01".
        profile: The profile whose base was measured.
        model: That base, such as "Gemma 3 270M".
        title: What the panel is about.
        identity: What it depends on.
        metrics: The headings of the metrics, by their names.
        contrasts: The differences that are reported.
        versions: Of the libraries.
        runs: In the order of the arms, then of the seeds.
    """

    format: Literal["ift-panel-1"] = FORMAT
    lesson: str
    profile: str
    model: str
    title: str
    identity: Identity
    metrics: dict[str, str] = {}
    contrasts: list[Contrast] = []
    versions: dict[str, str]
    runs: list[Run]

    @property
    def arms(self) -> dict[str, list[Run]]:
        """The runs of each arm, by its name."""
        arms: dict[str, list[Run]] = {}
        for run in self.runs:
            arms.setdefault(run.arm, []).append(run)
        return arms

    @property
    def n_items(self) -> int:
        """How many test items each run was scored on; 0 without scores."""
        return max((len(digits) for run in self.runs for digits in run.scores.values()), default=0)

    @property
    def n_seeds(self) -> int:
        """How many seeds the arm with the most of them has."""
        return max(len(runs) for runs in self.arms.values())

    @property
    def seconds(self) -> float:
        """Wall-clock time of all runs together."""
        return sum(sum(run.seconds.values()) for run in self.runs)

    @property
    def origin(self) -> str:
        """When and where it was computed."""
        machines = ", ".join(sorted({run.machine for run in self.runs}))
        return f"computed on {max(run.date for run in self.runs)} on {machines}"

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            CourseError: It would be larger than the repository allows, or it cannot be written.
        """
        text = to_json(self)
        if (size := len(text.encode())) > MOST_BYTES:
            raise CourseError(
                f"The panel of lesson {self.lesson} has {size:,} bytes, but {path} may have "
                f"{MOST_BYTES:,}; store fewer or shorter transcripts."
            )
        with disk_errors(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write_text(path, text)


def to_json(content: BaseModel) -> str:
    """The text of a stored file: indented, with each list of numbers on one line."""
    text = json.dumps(content.model_dump(mode="json"), ensure_ascii=False, indent=1)
    return NUMBERS.sub(lambda match: f"[{' '.join(match[1].split())}]", text) + "\n"


def read_panel(path: Path) -> Panel:
    """Read a panel.

    Raises:
        CourseError: The file is damaged.
    """
    try:
        panel = Panel.model_validate_json(path.read_bytes())
    except ValidationError as error:
        location = ".".join(str(part) for part in error.errors()[0]["loc"])
        where = f" (at {location})" if location else ""
        raise CourseError(
            f"{path} is damaged{where}; delete it, and run: ift run {path.stem} "
            f"--profile {path.parent.name}"
        ) from None
    if not panel.runs:
        raise CourseError(f"{path} holds no runs; delete it and compute it again.")
    return panel
