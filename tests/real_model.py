"""A tiny random Gemma in the place of the real one, and a course set of a few rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.families import make

TRAIN = [
    ("Name a bird.", "Owl."),
    ("Name a fish.", "Cod."),
    ("Name a cow.", "Moo."),
    ("What is 2 + 3?", "5."),
]
TEST = [
    {"prompt": f"Name a bird, {i}.", "verifier": {"type": "contains", "answers": ["owl"]}}
    for i in range(4)
]
OPEN = ["Name three fish.", "Why is <b>a bird</b> a bird?"]


@pytest.fixture
def real_results(tmp_path, monkeypatch) -> Path:
    """The folder for results of one test; nothing is published."""
    from ift_course.panels import store

    monkeypatch.setenv("IFT_RESULTS", str(tmp_path / "results"))
    monkeypatch.setattr(store, "evidence_root", lambda: tmp_path / "published")
    monkeypatch.delenv("IFT_PROFILE", raising=False)
    return tmp_path / "results"


@pytest.fixture
def real_base(tmp_path, monkeypatch) -> Path:
    """The folder of a converted base in the cache, as the profile gemma finds it."""
    from ift_course.models import convert_wheel
    from ift_course.models.checksums import write_sums
    from ift_course.models.gemma import GEMMA
    from ift_course.models.save import save

    monkeypatch.setenv("IFT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(convert_wheel, "_checked", set())
    folder = save(*make("gemma3-base"), tmp_path / "cache" / GEMMA.folder)
    write_sums(folder)
    return folder


@pytest.fixture
def real_rows(tmp_path, monkeypatch) -> Path:
    """A folder with a course set of a few rows."""
    from ift_course.data import course_set

    folder = tmp_path / "rows"
    folder.mkdir()
    train = [
        {"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]}
        for q, a in TRAIN
    ]
    files = {"train": train, "test": TEST, "open": [{"prompt": prompt} for prompt in OPEN]}
    for name, content in files.items():
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, content)) + "\n")
    monkeypatch.setattr(course_set, "FOLDER", folder)
    return folder


@pytest.fixture
def quick_recipe(monkeypatch) -> None:
    """Real parts with one pass over the rows and answers of a few tokens."""
    from ift_course.lessons.lesson_00 import real as lesson_00
    from ift_course.lessons.lesson_01 import real as lesson_01
    from ift_course.lessons.real_model import Recipe

    for module in (lesson_00, lesson_01):
        monkeypatch.setattr(
            module, "RECIPE", Recipe(rank=2, epochs=1, batch_size=2, max_new_tokens=3)
        )
