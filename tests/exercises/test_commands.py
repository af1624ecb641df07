"""`ift hint`, `ift progress`, `ift update`: short answers, and one sentence for a mistake."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def ift(tmp_path):
    env = os.environ | {"IFT_PROGRESS": str(tmp_path / "progress.json"), "COLUMNS": "100"}

    def run(*words: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-c", "from ift_course.cli import main; main()", *words]
        return subprocess.run(command, capture_output=True, text=True, env=env)

    return run


def test_hints_come_in_order_and_the_solution_only_when_asked(ift):
    first, second = ift("hint", "02.3").stdout, ift("hint", "02.3").stdout
    assert "hint 1 of 3" in first and "ift hint 02.3 shows the next hint" in first
    assert "hint 2 of 3" in second and "def response_labels" not in first + second
    assert "def response_labels" in ift("hint", "02.3", "--solution").stdout


def test_progress_says_where_it_is_kept(ift, tmp_path):
    process = ift("progress", "2")
    assert "○ 02.3 The labels of a conversation" in process.stdout
    assert f"0 of 7 solved. The record is in {tmp_path / 'progress.json'}." in process.stdout


@pytest.mark.slow
def test_update_writes_what_is_missing_and_then_changes_nothing(ift, tmp_path):
    assert "01_pretraining_vs_sft.ipynb: new" in ift("update", str(tmp_path / "mine")).stdout
    again = ift("update", str(tmp_path / "mine")).stdout
    assert again.count(": up to date") == again.count("\n") > 0


@pytest.mark.parametrize("words", [("hint", "02.99"), ("hint", "02.3", "--level", "7"),
                                   ("progress", "77"), ("hint", "nonsense")])  # fmt: skip
def test_a_slip_is_one_sentence(ift, words):
    process = ift(*words)
    assert process.returncode == 2 and process.stdout == ""
    assert "Traceback" not in process.stderr and process.stderr.count("\n") == 1
