"""The cost of running the lessons: time and memory, in the `lessons.json` of a profile."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.paths import evidence_root, results_dir, results_path
from ift_course.profile import PROFILES, REAL


@dataclass(frozen=True)
class Timing:
    """The cost of one execution of a lesson.

    Attributes:
        lesson: Its number, such as "01".
        title: Its title.
        status: "ok" or "failed".
        cells: Code cells that were started.
        seconds: Time of the execution.
        peak_mb: Peak memory of the kernel in MB (10^6 bytes).
        threads: Threads that it could use.
        machine: Such as "AMD EPYC, 2 cores".
    """

    lesson: str
    title: str
    status: str
    cells: int
    seconds: int
    peak_mb: int
    threads: int
    machine: str


def read_timings(profile: str, *, published: bool = False) -> dict[str, Timing]:
    """Return the timings of a profile by lesson: those of this machine, else the published ones.

    Args:
        profile: Name of the profile.
        published: Read only the published ones, from which README, docs and site are made.
    """
    own = results_path(profile) / "lessons.json"
    return _load_timings(own if own.exists() and not published else _published(profile))


def write_timings(profile: str, new_timings: Iterable[Timing]) -> None:
    """Add timings to those of the profile; each replaces the earlier one of its lesson."""
    path = results_dir(profile) / "lessons.json"
    with _locked(path):
        timings = read_timings(profile) | {x.lesson: x for x in new_timings}
        _write(path, [asdict(timings[lesson]) for lesson in sorted(timings)])


def cost_table(lesson: str) -> str:
    """The lesson's published time and memory as Markdown: a table, and what was not measured."""
    rows = ["| profile | time | peak memory | measured on |", "| --- | --- | --- | --- |"]
    unmeasured = []
    for name in PROFILES:
        if name == REAL:  # executes no notebook
            continue
        timing = _load_timings(_published(name)).get(lesson)
        if timing is None or timing.status != "ok":
            unmeasured.append(f"`{name}`")
        else:
            rows.append(
                f"| `{name}` | {minutes(timing.seconds)} | {timing.peak_mb / 1000:.1f} GB "
                f"| {timing.machine} |"
            )
    if unmeasured:
        rows += ["", f"Not measured: {', '.join(unmeasured)}."]
    return "\n".join(rows)


def minutes(seconds: float) -> str:
    """Seconds in readable form, such as "45 s" or "2 min 10 s"."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def _locked(path: Path) -> AbstractContextManager:
    from filelock import FileLock

    return FileLock(path.with_name(path.name + ".lock"))


def _published(profile: str) -> Path:
    return evidence_root() / profile / "lessons.json"


def _load_timings(path: Path) -> dict[str, Timing]:
    return {x["lesson"]: Timing(**x) for x in _read(path)}


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise CourseError(f"{path} is damaged; delete it and run the lessons again.") from None


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    atomic_write_text(path, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
