"""What the first notebook shows: a verdict on the machine, and the lessons with their costs."""

import json

import pytest

from ift_course.hardware import detect
from ift_course.lessons.doctor import Diagnosis, Fit, Problem
from ift_course.lessons.lesson_00 import overview


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Two lessons; the first was measured and has exercises, the second was not and has none."""
    notebooks, solutions = tmp_path / "notebooks", tmp_path / "solutions"
    notebooks.mkdir()
    solutions.mkdir()
    (notebooks / "01_toys.py").write_text("# %% [markdown]\n# # Toys & <joy>\n")
    (notebooks / "02_more.py").write_text("# %% [markdown]\n# # More toys\n")
    (solutions / "01_toys.py").write_text("# ●○○ · 10 minutes\n\n# ●●● · 30 minutes\n")
    timing = {"lesson": "01", "title": "Toys", "status": "ok", "cells": 3, "seconds": 75}
    timing |= {"peak_mb": 1234, "threads": 2, "machine": "a machine"}
    results = tmp_path / "results"
    (results / "tiny").mkdir(parents=True)
    (results / "tiny" / "lessons.json").write_text(json.dumps([timing]))
    monkeypatch.setenv("IFT_NOTEBOOKS", str(notebooks))
    monkeypatch.setenv("IFT_RESULTS", str(results))
    return tmp_path


def test_the_map_has_measured_time_memory_and_the_estimates_of_the_cards(course):
    lessons_map = overview.course_map("tiny")
    first, second = str(lessons_map).splitlines()[:2]
    assert "1 min 15 s" in first and "1.2 GB" in first and "2, about 40 min" in first
    assert second.split() == ["02", "More", "toys", "not", "measured", "yet"]
    assert str(lessons_map).endswith("Times measured on a machine.")
    assert (lessons_map.seconds, lessons_map.exercise_minutes) == (75, 40)


def test_the_map_links_to_the_notebooks_and_escapes_titles(course):
    html = overview.course_map("tiny").html()
    assert '<a href="01_toys.ipynb">Toys &amp; &lt;joy&gt;</a>' in html


def diagnosis(*problems: Problem) -> Diagnosis:
    fits = [Fit("tiny", "small", not problems, "needs memory"), Fit("t4", "", False, "needs a GPU")]
    return Diagnosis("3.11", [], detect(), 1.0, 1.0, "tiny", fits, [], False, list(problems))


def test_a_machine_that_fits_is_told_so_and_what_it_cannot_run():
    card = overview.card(diagnosis())
    assert (card.kind, card.verdict) == ("good", "this machine is sufficient")
    assert "It can run the profiles tiny." in card.details and "t4 needs a GPU." in card.details


def test_a_blocking_problem_comes_with_its_remedy():
    card = overview.card(diagnosis(Problem("torch is missing", "pip install torch", True)))
    assert (card.kind, card.verdict) == ("bad", "not yet")
    assert "torch is missing: pip install torch." in card.details
