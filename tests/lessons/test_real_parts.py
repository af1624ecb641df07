"""The notebooks show what is stored of the real model, and otherwise say what to run."""

from __future__ import annotations

import pytest

from ift_course.errors import CourseError
from ift_course.lessons.lesson_00 import real as lesson_00
from ift_course.lessons.real_parts import real_panel, real_part, real_parts
from ift_course.models import wheel_model
from ift_course.panels.identity import differences
from ift_course.panels.panel import MOST_BYTES, read_panel
from ift_course.panels.view import PanelView
from ift_course.paths import evidence_root
from ift_course.plots.cards import Card
from ift_course.profile import PROFILES


def test_the_lessons_with_a_real_part_describe_it_completely():
    parts = real_parts([])
    assert {"00", "01"} <= {part.lesson for part in parts}
    for part in parts:
        names = [arm.name for arm in part.arms]
        assert len(set(names)) == len(names)
        assert all(path.exists() for path in part.data.values())
        for contrast in part.contrasts:
            assert {contrast.first, contrast.second} <= set(names)
            assert contrast.metric in part.metrics


def test_published_panels_are_small_complete_and_up_to_date():
    for path in (evidence_root() / "gemma").glob("[0-9][0-9].json"):
        panel, part = read_panel(path), real_part(path.stem)
        assert path.stat().st_size <= MOST_BYTES
        runs = {arm.name: len(arm.seeds(PROFILES["gemma"])) for arm in part.arms}
        assert {name: len(x) for name, x in panel.arms.items()} == runs
        clauses = differences(panel, part, PROFILES["gemma"])
        # A machine may have other weights, those of the Hub.
        assert [clause for clause in clauses if "weights" not in clause] == []


def test_where_nothing_is_stored_one_sentence_says_what_to_run(real_results):
    card = real_panel("01")
    assert isinstance(card, Card)
    assert "make real" in card.title and card.title.endswith("ift run 01 --profile gemma")
    for form in card._repr_mimebundle_().values():
        assert "ift run 01 --profile gemma" in form


def test_a_lesson_without_a_real_part_names_those_that_have_one():
    with pytest.raises(CourseError, match=r"Lesson 09 measures nothing on the profile gemma; .*00"):
        real_panel("09")


def test_lesson_00_tunes_live_where_the_model_is_installed(
    real_base, real_rows, real_results, quick_recipe
):
    view = lesson_00.before_and_after()
    assert isinstance(view, PanelView) and view.is_live
    assert list(view.panel.arms) == ["before", "after 48 examples"]
    assert view.panel.arms["after 48 examples"][0].losses
    assert view.table == [] and "before" in str(view.transcript)
    assert not real_results.exists(), "nothing is stored"


def test_lesson_00_shows_what_is_stored_where_it_is_not(
    real_base,
    real_rows,
    real_results,
    quick_recipe,
    monkeypatch,
    tmp_path,
):
    from ift_course.panels.compute import compute

    panel = compute(lesson_00.real_part(), PROFILES["gemma"])
    panel.write(tmp_path / "published" / "gemma" / "00.json")
    monkeypatch.setattr(wheel_model, "_module_folder", lambda module: None)
    monkeypatch.setenv("IFT_CACHE", str(tmp_path / "empty"))
    view = lesson_00.before_and_after()
    assert isinstance(view, PanelView) and not view.is_live and view.outdated == []
    assert view.panel == panel
