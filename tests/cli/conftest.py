"""A course of toy lessons, and the command `ift` on it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real_model import real_base, real_results  # noqa: F401 (fixtures)

FINE = """\
# %% [markdown]
# # A fine lesson

# %%
x = 6 * 7
x
"""


class Course:
    """`notebooks` and `results` are folders of one test; nothing of the real course is touched."""

    def __init__(self, folder: Path) -> None:
        self.notebooks = folder / "notebooks"
        self.results = folder / "results"
        self.notebooks.mkdir()

    def lesson(self, name: str, source: str = FINE) -> None:
        (self.notebooks / f"{name}.py").write_text(source, encoding="utf-8")

    @property
    def env(self) -> dict[str, str]:
        return {"IFT_NOTEBOOKS": str(self.notebooks), "IFT_RESULTS": str(self.results)}

    def ift(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, env=self.environment
        )

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-c", "from ift_course.cli import main; main()", *words]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.env, "COLUMNS": "100"}


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    course = Course(tmp_path)
    for name, value in course.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("IFT_PROFILE", raising=False)
    return course
