"""`ift run NN --profile gemma` computes what a lesson shows of a real model; a build keeps it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.lessons import real_parts
from tests.panels.toy import Toy


@pytest.fixture
def toy(real_base, real_results, tmp_path, monkeypatch):
    data = tmp_path / "test.jsonl"
    data.write_text("{}\n")
    toy = Toy(data)
    monkeypatch.setattr(real_parts, "real_part", lambda lesson: toy.part)
    return toy


def ift(*words: str):
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, list(words))


def refused(done, sentence: str) -> None:
    assert done.exit_code == 2, done.output
    assert sentence in done.stderr and "Traceback" not in done.output


def test_a_run_prints_the_panel_and_stores_it_in_the_folder_for_runs(toy, real_results):
    done = ift("run", "1", "--profile", "gemma")
    assert done.exit_code == 0, done.output
    assert "tuned is better than base, plain" in done.stdout
    path = real_results / "gemma" / "01.json"
    assert f"Stored: {path}" in done.stdout
    assert json.loads(path.read_text())["runs"][0]["arm"] == "base, plain"
    assert "lesson 01: 4 of 4 runs, done" in done.stderr
    assert not (real_results / "gemma" / "lessons.json").exists(), "no notebook was executed"


def test_after_ctrl_c_the_same_command_continues(toy, real_results):
    toy.interrupt_at = 3
    done = ift("run", "01", "--profile", "gemma")
    assert done.exit_code == 130 and "Finished work is kept." in done.stderr
    assert not (real_results / "gemma" / "01.json").exists()
    toy.interrupt_at = None
    assert ift("run", "01", "--profile", "gemma").exit_code == 0
    assert len(toy.measured) == 4
    assert ift("run", "01", "--profile", "gemma").exit_code == 0 and len(toy.measured) == 4


def test_runs_that_cannot_be_used_are_counted_aloud(toy):
    ift("run", "01", "--profile", "gemma")
    toy.part.data["test"].write_text("{}\n{}\n")
    done = ift("run", "01", "--profile", "gemma")
    assert "4 stored runs of lesson 01 are of other weights, data or settings" in done.stderr
    assert len(toy.measured) == 8


def test_build_uses_the_finished_runs_and_check_says_what_is_missing_or_out_of_date(toy):
    check = ("build", "01", "--profile", "gemma", "--check")
    missing = ift(*check)
    assert missing.exit_code == 1
    assert "01.json is missing; run: ift build 01 --profile gemma" in missing.stderr
    ift("run", "01", "--profile", "gemma")
    done = ift("build", "01", "--profile", "gemma")
    assert done.exit_code == 0 and done.stdout.strip().endswith("gemma/01.json")
    assert len(toy.measured) == 4 and ift(*check).exit_code == 0
    toy.part.data["test"].write_text("{}\n{}\n")
    stale = ift(*check)
    assert stale.exit_code == 1
    assert "is out of date: the data file test has changed; run: ift build 01" in stale.stderr


def test_seeds_of_ones_own_go_beside_the_published_ones(toy, real_results):
    assert ift("run", "01", "--profile", "gemma", "--seed", "7").exit_code == 0
    assert toy.measured[1:] == [("tuned", 7), ("tuned", 8), ("tuned", 9)]
    assert (real_results / "gemma" / "seeds" / "7" / "01.json").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run", "01", "--profile", "gemma", "--full"], "--full and --jobs are for notebooks"),
        (["run", "77", "--profile", "gemma"], 'no lesson "77"'),
        (["build", "01", "--profile", "smollm2"], "built on the profiles tiny and gemma"),
        (["build", "--docs", "--profile", "gemma"], "have no profile; leave out --profile"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(toy, words, sentence):
    refused(ift(*words), sentence)


def test_a_lesson_without_a_real_part_is_one_sentence(real_results):
    refused(ift("run", "09", "--profile", "gemma"), "Lesson 09 measures nothing on the profile")
