"""A class of thirty, in the sandbox that grades real classes, while the clock runs."""

import time

import pytest

from ift_course.capstone import baselines, leaderboard
from ift_course.capstone.baselines import BASELINES
from ift_course.capstone.exam import Exam
from ift_course.capstone.examine import examine_in_sandbox, new_sandbox
from ift_course.capstone.marking import find_zips, mark_class
from ift_course.capstone.opening import open_submission
from ift_course.capstone.packing import course_base
from ift_course.capstone.rules import ADAPTER, DATA, Refusal
from tests.capstone import capstones

EXAM = Exam(2026, 40)
MOST_SECONDS = 600.0  # for a class of thirty on two cores
MADE = {"honest-1": 1, "honest-2": 2}


@pytest.fixture
def folder(tmp_path):
    """Every broken zip, a diverged adapter, a cheat, a weak one, and two honest ones."""
    zips = tmp_path / "zips"
    zips.mkdir()
    for name, seed in MADE.items():
        capstones.write(zips, name, capstones.zipped(capstones.honest(seed)))
    weak = capstones.honest(3, scale=0.5)  # the base, shaken until it knows nothing
    capstones.write(zips, "weak", capstones.zipped(weak))
    cheat = capstones.honest(4) | {DATA: capstones.exam_rows(EXAM)}
    capstones.write(zips, "cheat", capstones.zipped(cheat))
    diverged = capstones.honest(5) | {ADAPTER: capstones.nan_adapter()}
    capstones.write(zips, "diverged", capstones.zipped(diverged))
    for name, (_, make) in capstones.BROKEN.items():
        capstones.write(zips, name, make())
    (zips / "link.zip").symlink_to(zips / "honest-1.zip")
    return zips


@pytest.mark.weekly
def test_a_class_of_thirty_is_graded_and_each_is_treated_rightly(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(baselines, "cache_dir", lambda: tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    zips = find_zips(folder)
    assert len(zips) >= 30
    started = time.monotonic()
    entries = {
        entry.student: entry
        for entry in mark_class(zips, out, EXAM, jobs=2, baselines=BASELINES[2:3], baseline_steps=2)
    }
    assert time.monotonic() - started < MOST_SECONDS
    for name, (kind, _) in capstones.BROKEN.items():
        assert (entries[name].status, entries[name].kind) == ("refused", kind), entries[name]
    assert (entries["diverged"].status, entries["diverged"].kind) == ("refused", "numbers")
    assert entries["link"].kind == "link"
    assert entries["cheat"].suspicion and not entries["honest-1"].suspicion
    for name in (*MADE, "weak", "cheat"):
        assert entries[name].status == "examined" and len(entries[name].items) == 40
    board = leaderboard.make(list(entries.values()), EXAM)
    assert all(path.is_file() for path in leaderboard.write(board, out))
    assert {line.entry.student for line in board.lines} >= {*MADE, "random 300"}


@pytest.mark.weekly
def test_an_exam_that_takes_too_long_is_stopped_and_the_next_one_is_taken(folder):
    submission = open_submission(folder / "honest-1.zip", course_base())
    with new_sandbox() as sandbox:
        with pytest.raises(Refusal, match="The exam was stopped"):
            examine_in_sandbox(sandbox, submission, EXAM, seconds=0.05)
        assert examine_in_sandbox(sandbox, submission, EXAM).exam == EXAM
