"""What the learner has reached, in a file of plain text: `progress.json`."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ift_course import settings
from ift_course.exercises.report import Report
from ift_course.paths import atomic_write_text, project_root


@dataclass
class Reached:
    """The best result of an exercise. tries: checks that ran. hints: the levels that were read."""

    earned: int = 0
    points: int = 0
    tries: int = 0
    hints: int = 0

    @property
    def passed(self) -> bool:
        return self.points > 0 and self.earned == self.points


def path() -> Path:
    """Where it is kept: `$IFT_PROGRESS`, else in `$IFT_RESULTS`, else beside the notebooks."""
    if own := settings.progress_file():
        return own
    return (settings.results_folder() or project_root()) / "progress.json"


def read() -> dict[str, Reached]:
    """What was reached, by exercise ("02.3"). A file that is broken counts as none."""
    try:
        kept = json.loads(path().read_text(encoding="utf-8"))
        return {name: Reached(**values) for name, values in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def note(report: Report) -> None:
    """Counts a run of the checks; the best result stays."""
    kept = read()
    reached = kept.setdefault(report.id, Reached())
    reached.earned = max(reached.earned if reached.points == report.points else 0, report.earned)
    reached.points = report.points
    reached.tries += report.begun
    _write(kept)


def note_hint(exercise: str, level: int) -> None:
    """Remembers that hints up to `level` were read."""
    kept = read()
    reached = kept.setdefault(exercise, Reached())
    reached.hints = max(reached.hints, level)
    _write(kept)


def _write(kept: dict[str, Reached]) -> None:
    file = path()
    if file.exists() and not read():
        file.replace(file.with_suffix(".broken"))  # whatever it was, it is not ours to delete
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({name: asdict(kept[name]) for name in sorted(kept)}, indent=1)
    atomic_write_text(file, text + "\n")
