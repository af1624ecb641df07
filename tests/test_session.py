"""`ift.setup` makes a notebook quiet and repeatable, with the right number of threads."""

import os
import subprocess
import sys

import pytest

from ift_course import session


@pytest.fixture
def fresh(monkeypatch):
    """A process's state before `setup`, restored afterwards."""
    import torch

    threads, environment = torch.get_num_threads(), dict(os.environ)
    monkeypatch.setattr(session, "_current", None)
    for name in ("IFT_PROFILE", "IFT_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    yield
    torch.set_num_threads(threads)
    os.environ.clear()
    os.environ.update(environment)


def test_without_setup_the_lesson_is_scratch(fresh):
    assert session.current().lesson == "scratch"
    assert session.current() is session.current(), "its clock starts once"


def test_setup_is_one_line_and_the_same_numbers_every_time(fresh, capsys):
    import torch

    numbers = []
    for _ in range(2):
        profile = session.setup("01", "tiny")
        numbers.append(torch.rand(3).tolist())
    assert numbers[0] == numbers[1]
    assert profile.name == "tiny" and session.current().lesson == "01"
    line, _ = capsys.readouterr().out.splitlines()
    assert line.startswith("Lesson 01 · profile tiny")


@pytest.mark.parametrize(
    ("env", "threads"),
    [({"IFT_THREADS": "1"}, 1), ({"OMP_NUM_THREADS": "1"}, 1), ({"IFT_THREADS": "3"}, 3)],
)
def test_threads_follow_the_environment(fresh, monkeypatch, env, threads):
    import torch

    for name, value in env.items():
        monkeypatch.setenv(name, value)
    session.setup("01", "tiny")
    assert torch.get_num_threads() == threads


def test_lessons_side_by_side_share_the_cores_whatever_the_machine_sets(monkeypatch):
    from ift_course import hardware

    monkeypatch.setattr(hardware, "usable_cores", lambda: 2)
    monkeypatch.delenv("IFT_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert (hardware.threads(jobs=1), hardware.threads(jobs=2)) == (2, 1)


def test_threads_are_at_most_two_of_their_own(fresh, monkeypatch):
    import torch

    monkeypatch.setattr("ift_course.hardware.usable_cores", lambda: 16)
    session.setup("01", "tiny")
    assert torch.get_num_threads() == 2


@pytest.mark.slow
def test_after_setup_the_libraries_import_in_silence():
    code = "import ift_course as ift; ift.setup('01'); import peft, trl, datasets"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert process.returncode == 0
    assert process.stderr == ""
    assert len(process.stdout.splitlines()) == 1
