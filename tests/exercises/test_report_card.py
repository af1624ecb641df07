"""A learner sees words, never a traceback, and never their own text as HTML."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ift_course as ift
from ift_course.exercises import catalog, notebook_api
from ift_course.exercises import progress as records
from ift_course.exercises.misconceptions import misconceptions
from ift_course.exercises.report import report
from ift_course.exercises.report_card import ReportCard
from tests.exercises import learners

LABELS = catalog.by_id("02.3")


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "progress.json"
    monkeypatch.setenv("IFT_PROGRESS", str(path))
    return path


def card(function, exercise=LABELS) -> ReportCard:
    return ReportCard(report(exercise, {exercise.function: function}), "02.3 The labels")


def wrong(name: str):
    return next(x for x in misconceptions(LABELS) if x.name == name)


def test_a_wrong_mask_is_drawn_and_its_misconception_is_named():
    report_card = card(wrong("one too early").function)
    text = str(report_card)
    assert "should be " in text and "yours " in text and "^" in text
    assert f"This looks familiar. {wrong('one too early').advice}" in text
    assert 'ift.hint("02.3")' in text
    assert "marked ✗" in report_card.html() and "&lt;|im_start|&gt;" in report_card.html()


def test_a_right_answer_is_said_in_words():
    report_card = card(learners.namespace(LABELS)["response_labels"])
    assert str(report_card).startswith("✓ 02.3 The labels: done, 10 of 10 points")
    assert all(check.title in str(report_card) for check in catalog.checks(LABELS))


def test_an_error_shows_the_learners_line_and_only_once():
    def response_labels(input_ids, start, end, assistant):
        return input_ids[10**6]

    text = str(card(response_labels))
    assert text.count("return input_ids[10**6]") == 1
    assert "IndexError" in text and "Traceback" not in text


def test_what_a_learner_returns_is_not_html():
    report_card = card(lambda *_: "<script>alert(1)</script><b>")
    assert "<script>" not in report_card.html() and "&lt;script&gt;" in report_card.html()


def test_a_card_comes_within_a_second(capsys):
    for wrong_version in misconceptions(LABELS)[:3]:
        started = time.process_time()  # a busy machine is not the card's fault
        notebook_api.check(named(wrong_version.function, "response_labels"))
        assert time.process_time() - started < 1
    assert "✗ 02.3" in capsys.readouterr().out


def named(function, name):
    function.__name__ = name
    return function


def test_progress_keeps_the_best_and_counts_tries(own_progress, capsys):
    notebook_api.check(named(learners.stub(LABELS)["response_labels"], "response_labels"))
    assert records.read()["02.3"] == records.ExerciseProgress(0, 10, 0, 0)
    notebook_api.check(named(learners.namespace(LABELS)["response_labels"], "response_labels"))
    notebook_api.check(named(wrong("one too late").function, "response_labels"))
    assert records.read()["02.3"].earned == 10 and records.read()["02.3"].tries == 2
    assert "✓ 02.3" in str(ift.progress("02")) and "○ 02.4" in str(ift.progress("02"))
    assert json.loads(own_progress.read_text())["02.3"]["points"] == 10


def test_a_broken_progress_file_is_put_aside_and_stops_nothing(own_progress, capsys):
    own_progress.write_text("{broken")
    notebook_api.check(named(wrong("one too late").function, "response_labels"))
    assert own_progress.with_suffix(".broken").read_text() == "{broken"
    assert records.read()["02.3"].tries == 1


def test_hints_come_one_after_the_other_and_the_solution_only_when_asked(capsys):
    outputs = []
    for _ in range(4):
        notebook_api.hint("02.3")
        outputs.append(capsys.readouterr().out)
    assert ["hint 1 of 3" in outputs[0], "hint 2 of 3" in outputs[1]] == [True, True]
    assert (
        "hint 3 of 3" in outputs[2] and outputs[2] == outputs[3] and "solution=True" in outputs[2]
    )
    assert not any("def response_labels" in x for x in outputs)
    notebook_api.hint("02.3", solution=True)
    assert "def response_labels" in capsys.readouterr().out


def test_the_first_hint_comes_at_once():
    """Jupytext, torch, and others must not be imported for it, which took 2.8 seconds."""
    code = """
import sys, time
from IPython import get_ipython
import ift_course as ift
start = time.process_time()
ift.hint("02.3")
seconds = time.process_time() - start
assert seconds < 0.5, seconds
heavy = {"jupytext", "nbformat", "torch", "transformers", "pandas"} & set(sys.modules)
assert not heavy, heavy
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert "hint 1 of 3" in process.stdout


@pytest.mark.parametrize("ask", [lambda: ift.hint("02.99"), lambda: ift.hint("99.1"),
                                 lambda: ift.hint("02.3", 7), lambda: ift.check(len),
                                 lambda: ift.check(3)])  # fmt: skip
def test_a_slip_is_a_card_and_no_traceback(ask, capsys):
    ask()
    assert capsys.readouterr().out.startswith("• No")


def test_passed_is_about_this_very_function(capsys):
    right = named(learners.namespace(LABELS)["response_labels"], "response_labels")
    assert not ift.passed(right)
    ift.check(right)
    assert ift.passed(right)
    assert not ift.passed(named(lambda *_: None, "response_labels"))


def test_under_a_grader_nothing_is_shown_and_nothing_kept(own_progress, monkeypatch, capsys):
    monkeypatch.setenv("IFT_CHECKING", "1")
    ift.check(len)
    ift.hint("02.3")
    assert ift.progress() is None and ift.passed(len) is False
    assert capsys.readouterr().out == "" and not own_progress.exists()


@pytest.mark.parametrize("exercise", catalog.exercises(), ids=lambda x: x.id)
def test_the_worst_answer_still_makes_a_card(exercise):
    for function in (lambda *_: "x" * 10**5, lambda *_: None, lambda: 1):
        report_card = ReportCard(report(exercise, {exercise.function: function}), "title")
        assert len(str(report_card)) < 20_000 and "title" in report_card.html()
