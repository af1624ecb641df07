"""A course in a temporary folder: one lesson, one exercise, three pages."""

import json
import sys
from base64 import b64decode
from pathlib import Path

import nbformat
import pytest

from ift_course.authoring import build
from ift_course.exercises import generate, notebook_files
from ift_course.lessons import timings
from ift_course.lessons.discover import Lesson
from ift_course.lessons.quiz_view import Quiz
from ift_course.lessons.quizzes import Question, Wrong
from ift_course.paths import checkout

sys.path.insert(0, str(checkout() / "site"))

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
LESSON = """\
# %% [markdown]
# # A toy lesson
#
# {{ badge }}
#
# It shows what a loss mask is. It costs nothing. A third sentence.
#
# Words: [loss mask](../docs/glossary.md#loss-mask). The formula is $\\frac{a}{b}$; the code is in
# [the package](../ift_course), and the [exercises](../exercises/01_toy.ipynb) are short.

# %%
print("tokens")
"""
EXERCISES = '''\
# %% [markdown]
# # Exercises 01: a toy
#
# {{ badge }}

# %%
import math

# %% [markdown]
# ## 01.1 Twice
#
# ●○○ · 10 minutes
#
# **Why it matters.** It does; see [lesson 01](../notebooks/01_toy.ipynb).


# %%
def twice(x: float) -> float:
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %%
ift.check(twice)

# %% [markdown] tags=["hint"]
# The mild hint.

# %% [markdown] tags=["hint"]
# The strong hint.

# %% [markdown]
# What it says of numbers.
'''
QUESTION = Question(
    id="toy",
    ask="Is it?",
    right="Yes.",
    answer="It is.",
    wrong=[Wrong(says="No.", why="It is."), Wrong(says="Maybe.", why="It is.")],
    terms=["loss mask"],
)
PAGES = {
    "docs/claims.md": "# What the field says\n\nNothing yet.\n",
    "docs/glossary.md": (
        "# Glossary\n\n[loss mask](#loss-mask)\n\n## loss mask\n\nWhat is trained.\n\n"
        "## zzz\n\nNobody says it.\n"
    ),
    "docs/guide.md": (
        "# A guide\n\nSee the [claims](claims.md), [settings](settings.yaml) and "
        "[all exercises](../exercises).\n\n![a dot](dot.png)\n"
    ),
    "README.md": "# A toy\n\n![a dot](docs/dot.png)\n",
    "docs/settings.yaml": "a: 1\n",
    "ift_course/here.txt": "",
}


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Path:
    """The folder of a course, which the code takes for the published one."""
    root = tmp_path / "toy"
    for path, text in PAGES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    (root / "docs/dot.png").write_bytes(b64decode(PIXEL))
    for folder in ("notebooks", "solutions"):
        (root / folder).mkdir()
    monkeypatch.setenv("IFT_NOTEBOOKS", str(root / "notebooks"))
    monkeypatch.setattr(timings, "evidence_root", lambda: root / "results")
    (root / "results/tiny").mkdir(parents=True)
    timing = {"lesson": "01", "title": "A toy lesson", "status": "ok", "cells": 1, "seconds": 75}
    timing |= {"peak_mb": 1200, "threads": 2, "machine": "a toy"}
    (root / "results/tiny/lessons.json").write_text(json.dumps([timing]), encoding="utf-8")

    source = root / "notebooks/01_toy.py"
    source.write_text(LESSON, encoding="utf-8")
    notebook = build.read(Lesson("01", "01_toy", source))
    notebook.cells[1].outputs = list(map(nbformat.from_dict, outputs()))
    notebook_files.write(notebook, source.with_suffix(".ipynb"))

    (root / "solutions/01_toy.py").write_text(EXERCISES, encoding="utf-8")
    generate.build(root / "solutions/01_toy.py", root)
    return root


def outputs() -> list[dict]:
    """Printed text, a picture that says what it shows, and a quiz."""
    quiz = Quiz([QUESTION])._repr_mimebundle_()
    picture = {"image/png": PIXEL, "text/plain": "a dot"}
    metadata = {"image/png": {"alt": 'A "dot" & no more.', "width": 800}}
    kind = {"output_type": "display_data"}
    return [
        {"output_type": "stream", "name": "stdout", "text": "tokens\n"},
        kind | {"data": picture, "metadata": metadata},
        kind | {"data": quiz, "metadata": {}},
    ]
