"""A class is marked whatever single zips hold; what is marked is not marked again."""

import contextlib
import csv
import re

import pytest

from ift_course.capstone import leaderboard, marking
from ift_course.capstone.baselines import Baseline
from ift_course.capstone.exam import Exam, Reply
from ift_course.capstone.examine import ExamResult
from ift_course.capstone.marking import Entry, find_zips, mark_class, read_results
from ift_course.capstone.rules import DATA, Refusal
from ift_course.errors import CourseError
from tests.capstone import capstones

EXAM = Exam(5, 40)
CONTROL = Baseline("random 300", "drawn at random", lambda records, base: [])


@pytest.fixture
def examined(monkeypatch):
    """The names of the exams that were taken; how well an adapter does stands in its title."""
    taken = []

    def examine(sandbox, submission, exam):
        taken.append(submission.title)
        if submission.title == "crash":
            raise Refusal("crash", "The exam was stopped: the adapter's process ended. Try it.")
        if submission.title == "fault":
            raise OSError("no process starts")
        n = int(submission.title)
        replies = [Reply(x.response if i < n else "No.", True) for i, x in enumerate(exam.examples)]
        return ExamResult(exam, replies)

    monkeypatch.setattr(marking, "examine_in_sandbox", examine)
    monkeypatch.setattr(marking, "new_sandbox", contextlib.nullcontext)
    monkeypatch.setattr(marking, "baseline_adapter", lambda baseline, steps: (b"", b""))
    monkeypatch.setattr(
        "ift_course.capstone.answering.answers_of",
        lambda adapter, settings, questions: [Reply("No.", True)] * len(questions),
    )
    return taken


@pytest.fixture
def folder(tmp_path):
    """Four honest ones, one that crashes, one that meets a fault, one cheat, all broken ones."""
    zips = tmp_path / "zips"
    zips.mkdir()
    for i, name in enumerate(("36", "35", "20", "crash", "fault")):
        content = capstones.zipped(capstones.honest(i), title=name)
        capstones.write(zips, f"student-{name}", content)
    cheat = capstones.honest(9) | {DATA: capstones.exam_rows(EXAM)}
    capstones.write(zips, "cheat", capstones.zipped(cheat, title="40"))
    for name, (_, make) in capstones.BROKEN.items():
        if name not in ("zip bomb", "oversized adapter"):
            capstones.write(zips, name, make())
    return zips


@pytest.fixture
def out(tmp_path):
    path = tmp_path / "out"
    path.mkdir()
    return path


def mark(folder, out, **options):
    return mark_class(find_zips(folder), out, EXAM, jobs=2, baselines=[CONTROL], **options)


def test_each_of_a_class_gets_its_result_and_its_sentence(folder, out, examined):
    entries = {entry.student: entry for entry in mark(folder, out)}
    assert entries["student-36"].items.count("1") == 36
    assert entries["student-36"].status == "examined"
    assert entries["student-crash"].kind == "crash"
    assert entries["student-fault"].status == "needs review"
    assert "repeat questions of the exam" in entries["cheat"].suspicion
    assert entries["random 300"].status == "baseline"
    for name, (kind, _) in capstones.BROKEN.items():
        if name in entries:
            assert (entries[name].status, entries[name].kind) == ("refused", kind)
    assert len(examined) == 6  # nothing that was refused has been examined


def test_a_class_that_was_stopped_goes_on(folder, out, examined):
    first = mark(folder, out)
    path = out / marking.RESULTS
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    examined.clear()
    assert mark(folder, out) == first and examined == ["fault"]  # what the grader failed at
    examined.clear()
    kept = [line for line in lines if '"student": "student-20"' not in line]
    path.write_text("".join(kept) + '{"student": "cut o', encoding="utf-8")
    assert sorted(x.student for x in mark(folder, out)) == sorted(x.student for x in first)
    assert sorted(examined) == ["20", "fault"]


def test_a_zip_that_was_replaced_is_examined_again(folder, out, examined):
    mark(folder, out)
    examined.clear()
    capstones.write(folder, "student-20", capstones.zipped(capstones.honest(2), title="21"))
    entries = {entry.student: entry for entry in mark(folder, out)}
    assert sorted(examined) == ["21", "fault"]
    assert entries["student-20"].items.count("1") == 21


def test_the_leaderboard_shows_ties_baselines_and_what_was_refused(folder, out, examined):
    board = leaderboard.make(mark(folder, out), EXAM)
    page, table = leaderboard.write(board, out)
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text and not re.search(r"""(?:src|href)=["']""", text)
    place = {line.entry.student: line.place for line in board.lines}
    assert place["student-36"] == place["student-35"] == 1  # a tie, and the cheat moves nobody
    assert place["student-20"] == 3
    assert place["random 300"] == 4
    assert "1?" in text and "Needs review" in text
    assert all(entry.sentence.split(";")[0][:20] in text for entry in board.others[:1])
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(board.lines) + len(board.others)
    assert {row["student"] for row in rows if row["place"] == "1"} >= {"student-36", "student-35"}


def test_what_students_write_is_text_on_the_page_and_in_the_table():
    hostile = '=HYPERLINK("x")<script>alert(1)</script>'
    entry = Entry(hostile, "examined", "k", items="10", title=hostile, report=hostile)
    board = leaderboard.make([entry], Exam(5, 2))
    text = leaderboard.render("leaderboard.html.j2", board=board)
    assert "<script" not in text and "&lt;script" in text
    assert all(f",\"'{hostile[0]}" in line for line in leaderboard.table(board).splitlines()[1:])


def test_zips_are_found_in_the_folders_of_a_platform(tmp_path):
    for name in ("jane_1", "joe_2"):
        (tmp_path / name).mkdir()
        capstones.write(tmp_path / name, "submission", b"x")
    capstones.write(tmp_path / "joe_2", "again", b"x")
    assert set(find_zips(tmp_path)) == {"jane_1", "joe_2/again", "joe_2/submission"}


def test_what_cannot_be_read_stops_nobody(folder, out, examined):
    locked = capstones.write(folder, "locked", b"x")
    locked.chmod(0)
    (folder / "dangling.zip").symlink_to(folder / "nowhere")
    entries = {entry.student: entry for entry in mark(folder, out)}
    assert entries["locked"].status == entries["dangling"].status == "refused"


def test_a_folder_without_zips_is_one_sentence(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(CourseError):
            find_zips(folder)


def test_no_result_is_lost_to_a_line_that_was_cut_off(tmp_path):
    (tmp_path / marking.RESULTS).write_text('{"student": "x"}\nnonsense\n', encoding="utf-8")
    assert read_results(tmp_path) == {}
