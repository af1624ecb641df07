"""The files of panels: finished runs, so that a stopped computation continues, and whole panels."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError

from ift_course.disk import atomic_write_text, disk_errors
from ift_course.panels.panel import Identity, Panel, Run, Stored, read_panel, to_json
from ift_course.paths import evidence_root, results_path


class StoredRun(Stored):
    """A finished run with what it depends on."""

    identity: Identity
    run: Run


class RunStore:
    """The finished runs of a lesson's real part, a file for each: `parts/NN/ARM-SEED.json`."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        """Open the store.

        Args:
            folder: Of the lesson's runs; it need not exist.
            identity: What a run must depend on to count as finished.
        """
        self.folder, self.identity = folder, identity

    def read(self, arm: str, seed: int) -> Run | None:
        """Return the finished run; None if there is none, or none that depends on the same."""
        try:
            stored = StoredRun.model_validate_json(self._path(arm, seed).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        agrees = (stored.identity, stored.run.arm, stored.run.seed) == (self.identity, arm, seed)
        return stored.run if agrees else None

    def is_outdated(self, arm: str, seed: int) -> bool:
        """Return whether a file is there that cannot be used."""
        return self._path(arm, seed).exists() and self.read(arm, seed) is None

    def write(self, run: Run) -> None:
        """Store a finished run, whole or not at all.

        Raises:
            CourseError: The disk is full, or the folder cannot be written.
        """
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            stored = StoredRun(identity=self.identity, run=run)
            atomic_write_text(self._path(run.arm, run.seed), to_json(stored))

    def _path(self, arm: str, seed: int) -> Path:
        name = re.sub(r"\W+", "-", arm).strip("-")
        return self.folder / f"{name}-seed-{seed}.json"


def runs_folder(profile: str, lesson: str) -> Path:
    """The folder of a lesson's finished runs on this machine; not created."""
    return results_path(profile) / "parts" / lesson


def stored_panel(profile: str, lesson: str) -> Panel | None:
    """Return the panel that was computed here, else the published one, else None.

    Raises:
        CourseError: The file is damaged.
    """
    own = results_path(profile) / f"{lesson}.json"
    published = evidence_root() / profile / f"{lesson}.json"
    path = next((path for path in (own, published) if path.exists()), None)
    return read_panel(path) if path else None
