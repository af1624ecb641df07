"""When a machine disappears, everything in `$IFT_RESULTS` survives."""

from dataclasses import replace

import pytest

from ift_course import paths
from ift_course.exercises import progress
from ift_course.profile import get_profile
from ift_course.training import assistant


@pytest.fixture
def new_machine(tmp_path, monkeypatch):
    """A function that simulates a fresh machine without a clone; only the drive stays mounted."""
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path / "drive" / "ift-course"))
    monkeypatch.delenv("IFT_PROGRESS", raising=False)
    monkeypatch.setattr(paths, "checkout", lambda: None)

    def connect(name):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)

    return connect


@pytest.mark.slow
def test_the_tuned_assistant_is_not_tuned_again(new_machine, tiny_llama_dir, monkeypatch, capfd):
    monkeypatch.setattr(assistant, "base_folder", lambda profile: tiny_llama_dir)
    small = replace(get_profile("tiny"), examples=8, epochs=1.0)
    new_machine("monday")
    first = assistant.assistant_folder(small)
    assert "Tuning the base model on 8 examples, once" in capfd.readouterr().err
    new_machine("tuesday")
    monkeypatch.setattr(assistant, "_make", lambda *_: pytest.fail("it was tuned again"))
    assert assistant.assistant_folder(small) == first


def test_what_was_solved_stays_solved(new_machine):
    new_machine("monday")
    progress.record_hint("02.3", 2)
    new_machine("tuesday")
    assert progress.read()["02.3"].hints == 2


def test_claims_and_grids_go_to_the_drive_too(new_machine, tmp_path):
    new_machine("monday")
    drive = tmp_path / "drive" / "ift-course"
    assert paths.results_dir("tiny") == drive / "tiny"
    assert paths.results_root() == drive
    assert list((tmp_path / "monday").iterdir()) == []
