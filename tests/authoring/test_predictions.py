"""Predictions are written down once, and do not move after that."""

from __future__ import annotations

import pytest

from ift_course.authoring import predictions
from ift_course.errors import CourseError

CLAIM = 'if True:\n    ift.claim("01.a", "It holds.", effect="x", {bound})\n'


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    monkeypatch.setattr(predictions, "evidence_root", lambda: tmp_path)
    source = tmp_path / "01_topic.py"

    class Lesson:
        number = "01"

    Lesson.source = source
    monkeypatch.setattr(predictions, "select", lambda names: [Lesson])
    monkeypatch.setattr(predictions, "has_real_part", lambda number: False)
    source.write_text(CLAIM.format(bound="at_least=0.1"))
    return source


def test_every_bound_of_the_course_is_the_one_that_was_written_down():
    before, now = predictions.predicted(), predictions.in_the_sources()
    assert predictions.current(before).keys() == now.keys(), "run: ift predict"
    assert predictions.moved(before, now) == []


def test_a_new_claim_is_added_and_one_that_is_gone_stays_as_withdrawn(lesson):
    assert predictions.write() == (["01.a"], [])
    assert predictions.write() == ([], [])
    lesson.write_text(CLAIM.format(bound="at_most=0.1").replace("01.a", "01.b"))
    assert predictions.write() == (["01.b"], ["01.a"])
    written = predictions.predicted()
    assert written["01.b"]["at_most"] == 0.1
    assert written["01.a"]["at_least"] == 0.1 and "withdrawn" in written["01.a"]
    assert predictions.write() == ([], [])


@pytest.mark.parametrize("bound", ["at_least=0.05", "at_most=0.1"])
def test_a_bound_that_has_moved_is_refused_and_nothing_is_written(lesson, bound):
    predictions.write()
    before = predictions.predicted()
    lesson.write_text(CLAIM.format(bound=bound))
    with pytest.raises(CourseError, match=r"01\.a.*0\.1.*does not move"):
        predictions.write()
    assert predictions.predicted() == before


def test_a_computed_bound_is_refused(lesson):
    lesson.write_text(CLAIM.format(bound="at_least=threshold"))
    with pytest.raises(CourseError, match=r"01_topic\.py, claim 01\.a: a bound is computed"):
        predictions.write()


def test_a_damaged_file_names_its_line_and_the_remedy(lesson, tmp_path):
    (tmp_path / predictions.FILE).write_text("a: 1\nb: [\n")
    with pytest.raises(CourseError, match=r"predictions.yaml is no YAML \(line 3\).*git checkout"):
        predictions.predicted()


@pytest.mark.parametrize("text", ["- a\n", "01.a: 0.1\n", "01.a: {at_least: 0.1}\n", "text\n"])
def test_a_file_with_something_else_is_one_sentence(lesson, tmp_path, text):
    (tmp_path / predictions.FILE).write_text(text)
    with pytest.raises(CourseError, match="no prediction with its day; restore it"):
        predictions.write()
