"""The file of results: one entry a part, written whole after each, so that nothing is lost."""

from __future__ import annotations

import datetime
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gpu_parts.part import Outcome
from ift_course.disk import atomic_write_text, disk_errors
from ift_course.errors import CourseError

SAME = ("device", "torch")  # what all results in one file share


class ResultsFile:
    """The results of one machine.

    Args:
        path: A JSON file; it need not exist.
        tiny: Whether toy sizes are measured.

    Raises:
        CourseError: The file is damaged, has results of another kind, or cannot be written.
    """

    def __init__(self, path: Path, tiny: bool) -> None:
        self.path = path
        self.content: dict[str, Any] = {"tiny": tiny, "machine": {}, "parts": {}}
        if path.is_dir():
            raise CourseError(f"{path} is a folder; give --out a file.")
        if path.exists():
            self.content = _read(path)
        if self.content["tiny"] != tiny:
            sizes = "toy sizes" if self.content["tiny"] else "real sizes"
            raise CourseError(f"{path} has results of {sizes}; give another --out.")
        _refuse_unwritable(path)

    def stands(self, name: str) -> bool:
        """Return whether a part was measured to its end."""
        return self.content["parts"].get(name, {}).get("status") == "done"

    def set_machine(self, machine: dict[str, Any]) -> None:
        """Say which machine the results are of.

        Raises:
            CourseError: The file has results of another one.
        """
        stored = self.content["machine"]
        for name in SAME if self.content["parts"] else ():
            if stored.get(name) != machine.get(name):
                raise CourseError(
                    f"{self.path} has results of {stored.get('device')} with torch "
                    f"{stored.get('torch')}, and this is {machine.get('device')} with torch "
                    f"{machine.get('torch')}; give another --out."
                )
        self.content["machine"] = machine

    def add(self, name: str, outcome: Outcome) -> None:
        """Store how a part ended.

        Raises:
            CourseError: The disk is full.
        """
        entry = {"date": datetime.date.today().isoformat(), **asdict(outcome)}
        self.content["parts"][name] = entry
        with disk_errors(self.path):
            atomic_write_text(self.path, json.dumps(self.content, indent=1) + "\n")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict) or not {"tiny", "machine", "parts"} <= set(content):
        raise CourseError(f"{path} is not a file of this benchmark; give another --out.")
    return content


def _refuse_unwritable(path: Path) -> None:
    if not path.parent.exists():
        raise CourseError(f"There is no folder {path.parent}; make it, or give another --out.")
    with disk_errors(path.parent):
        probe = path.with_name(f".{path.name}.probe")
        probe.touch()
        probe.unlink()
