"""The settings of a gradebook, as `ift grade` keeps them in `settings.json` for `ift regrade`."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.grading.attempt import TimeLimits
from ift_course.grading.late_policy import POLICY
from ift_course.grading.names import plain_name
from ift_course.grading.plan import GradingPlan
from ift_course.grading.pool import GradingConfig
from ift_course.grading.roster import KEYS, ROSTER, read_roster
from ift_course.grading.submissions.layouts import LayoutHints

if TYPE_CHECKING:
    from typing_extensions import NotRequired

    from ift_course.grading.roster import Person

SETTINGS = "settings.json"


class Settings(TypedDict):
    """The content of the file.

    Attributes:
        submissions: The folder or archive.
        lesson: Its number.
        seed: Names the course.
        hidden: A folder of checks, or an empty text.
        jobs: Submissions at a time.
        memory: For a student's code, in MB.
        timeout: Seconds for a check.
        cell_timeout: Seconds for a cell.
        insist: Run hidden checks even where student code could read them, as
            `--allow-exposed-checks` says.
        layout: The kind in `LayoutHints`.
        student_level: The level in `LayoutHints`.
        yes: Whether `LayoutHints` accepts every question.
    """

    submissions: str
    lesson: str
    seed: str
    hidden: str
    jobs: int
    memory: int
    timeout: float
    cell_timeout: float
    insist: bool
    layout: NotRequired[str]
    student_level: NotRequired[int]
    yes: NotRequired[bool]


class LateSettings(TypedDict):
    """The content of `policy.json`; see `LatePolicy`."""

    due: str
    percent_per_day: float
    grace_minutes: float
    percent_at_most: float


def choose_seed(out: Path, seed: str | None) -> str:
    """The seed that was named, that of the earlier runs into this folder, or a new one.

    A seed that everybody could guess would let a table of answers be recorded at home.

    Args:
        out: The folder of the gradebook.
        seed: That the instructor names, if any.
    """
    if seed is not None:
        return seed
    try:
        return json.loads((out / SETTINGS).read_text(encoding="utf-8"))["seed"]
    except (OSError, ValueError, KeyError, TypeError):
        return secrets.token_hex(4)


def read_settings(out: Path) -> Settings:
    """The settings of the last `ift grade` into a folder.

    Args:
        out: The folder of the gradebook.

    Raises:
        CourseError: Nothing was graded into it.
    """
    try:
        return json.loads((out / SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise CourseError(f"Nothing has been graded into {out} yet; run ift grade first.") from None


def write_settings(
    out: Path, settings: Settings, roster: Path | None, late: LateSettings | None
) -> None:
    """Writes everything that the gradebook depends on beside it.

    Args:
        out: The folder of the gradebook.
        settings: For `settings.json`.
        roster: A CSV file to copy, if there is one.
        late: For `policy.json`, if lateness costs something.

    Raises:
        CourseError: The roster cannot be read; nothing is written then.
    """
    if roster:
        read_roster(roster)
    out.mkdir(parents=True, exist_ok=True)
    atomic_write_text(out / SETTINGS, json.dumps(settings, indent=1) + "\n")
    if late:
        atomic_write_text(out / POLICY, json.dumps(late, indent=1) + "\n")
    if roster and roster.resolve() != (out / ROSTER).resolve():
        atomic_write_text(out / ROSTER, roster.read_text(encoding="utf-8-sig"))


def layout_hints(out: Path, settings: Settings) -> LayoutHints:
    """What the instructor says about the layout, with the names of the roster.

    Args:
        out: The folder of the gradebook.
        settings: Its settings.
    """
    return hints_for(
        people_of(out), settings.get("layout", "auto"), settings.get("student_level", 0),
        settings.get("yes", False),
    )  # fmt: skip


def people_of(out: Path, roster: Path | None = None) -> list[Person]:
    """The people of a roster, or of the one in a gradebook; none if there is neither.

    Args:
        out: The folder of the gradebook.
        roster: Another one.

    Raises:
        CourseError: The roster cannot be read.
    """
    path = roster or out / ROSTER
    return read_roster(path) if roster or path.is_file() else []


def hints_for(people: list[Person], kind: str, level: int, accept: bool) -> LayoutHints:
    """What the instructor says about the layout, with the names of these people.

    Args:
        people: Of the roster.
        kind: The kind in `LayoutHints`.
        level: The level in `LayoutHints`.
        accept: Whether to accept every question.
    """
    keys = (*KEYS, "group")
    names = {person[key] for person in people for key in keys if key in person}
    return LayoutHints(
        kind=kind,
        level=level,
        accept=accept,
        people=frozenset(plain_name(name) for name in names if name),
    )


def grading_config(settings: Settings) -> GradingConfig:
    """The checks and the limits.

    Args:
        settings: Of the gradebook.
    """
    hidden = Path(settings["hidden"]) if settings["hidden"] else None
    return GradingConfig(
        plan=GradingPlan(settings["lesson"], hidden, settings["seed"]),
        limits=TimeLimits(cell=settings["cell_timeout"], check=settings["timeout"]),
        memory_mb=settings["memory"],
    )
