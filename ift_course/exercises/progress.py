"""The learner's progress, in a plain text file: `progress.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ift_course import settings
from ift_course.disk import atomic_write_text
from ift_course.exercises.report import Report
from ift_course.paths import project_root


@dataclass
class ExerciseProgress:
    """The best result of an exercise.

    Attributes:
        earned: Points of the best run.
        points: All points of the exercise.
        tries: How often the checks ran after the stub was replaced.
        hints: The highest level of hint that was read.
    """

    earned: int = 0
    points: int = 0
    tries: int = 0
    hints: int = 0

    @property
    def passed(self) -> bool:
        return self.points > 0 and self.earned == self.points


def path() -> Path:
    """The file: `$IFT_PROGRESS`, else in `$IFT_RESULTS`, else beside the notebooks."""
    if own := settings.progress_file():
        return own
    return (settings.results_folder() or project_root()) / "progress.json"


def read() -> dict[str, ExerciseProgress]:
    """Read the progress by exercise ("02.3"). A missing or broken file counts as no progress."""
    try:
        records = json.loads(path().read_text(encoding="utf-8"))
        return {name: ExerciseProgress(**values) for name, values in records.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def record_report(report: Report) -> None:
    """Count a run of the checks and keep the best result."""
    records = read()
    record = records.setdefault(report.id, ExerciseProgress())
    record.earned = max(record.earned if record.points == report.points else 0, report.earned)
    record.points = report.points
    record.tries += report.begun
    _write(records)


def record_hint(exercise: str, level: int) -> None:
    """Remember that the hints up to `level` were read."""
    records = read()
    record = records.setdefault(exercise, ExerciseProgress())
    record.hints = max(record.hints, level)
    _write(records)


def _write(records: dict[str, ExerciseProgress]) -> None:
    file = path()
    if file.exists() and not read():
        file.replace(file.with_suffix(".broken"))  # it may be the learner's: never delete it
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({name: asdict(records[name]) for name in sorted(records)}, indent=1)
    atomic_write_text(file, text + "\n")
