"""When a machine disappears, everything in `$IFT_RESULTS` survives."""

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
    monkeypatch.setattr(assistant, "DIALOGUES", 8)
    monkeypatch.setitem(assistant.RECIPE, "epochs", 1.0)
    tiny = get_profile("tiny")
    new_machine("monday")
    first = assistant.assistant_folder(tiny)
    assert "Tuning the base model into an assistant, once" in capfd.readouterr().err
    new_machine("tuesday")
    monkeypatch.setattr(assistant, "_make", lambda *_: pytest.fail("it was tuned again"))
    assert assistant.assistant_folder(tiny) == first


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
