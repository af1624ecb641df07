"""Whose work is whose: never by what a student can name, and never silently in doubt."""

import pytest

from ift_course.errors import CourseError
from ift_course.grading.submissions.collect import collect
from ift_course.grading.submissions.layouts import LayoutHints
from tests.grading.trees import FUNCTIONS, LESSON, course, solves, write, zipped

A, B, C = (solves("pack", mark=x) for x in "abc")
METADATA = """\
submission_71:
  :submitters:
  - :name: Ann Lee
    :sid: 1001
    :email: ann@x.org
  - :name: Bo Li
    :sid: '1002'
    :email: bo@x.org
  :created_at: 2026-10-01 20:52:04.478586000 Z
  :results: !ruby/object:Foo {a: 1}
submission_72:
  :submitters:
  - :name: Cy Yu
    :email: cy@x.org
"""


def read(root, **reading):
    return collect(root, LESSON, FUNCTIONS, LayoutHints(**reading))


def students(root, **reading):
    return sorted(x.student for x in read(root, **reading).submissions)


LAYOUTS = [
    ({"ann/02.ipynb": A, "bo/x.ipynb": B}, ["ann", "bo"]),
    ({"week 3/ann/02.ipynb": A, "week 3/bo/02.ipynb": B}, ["ann", "bo"]),
    ({"a/b/c/ann/02.ipynb": A, "a/b/c/bo/deep/er/02.ipynb": B}, ["ann", "bo"]),
    ({"ann.ipynb": A, "bo.py": "def pack(*a):\n    return a\n"}, ["ann", "bo"]),
    ({"submissions/ann.ipynb": A, "submissions/bo.ipynb": B}, ["ann", "bo"]),
    ({"lee_11_501_a.ipynb": A, "li_late_12_502_a-1.ipynb": B}, ["11", "12"]),
    ({"anon_aB3dE_501_a.ipynb": A, "anon_LATE_xY9zQ_502_a.ipynb": B}, ["aB3dE", "xY9zQ"]),
    ({"dl/lee_11_501_a.ipynb": A, "dl/li_LATE_12_502_a.zip": zipped({"q.ipynb": B})}, ["11", "12"]),
    ({"hw/Ann Lee_7_assignsubmission_file_/02.ipynb": A,
      "hw/Bo Li_8_assignsubmission_file_02.ipynb": B}, ["7", "8"]),
    ({"assignment_9_export/submission_71/q.ipynb": A,
      "assignment_9_export/submission_72/q.ipynb": B}, ["submission_71", "submission_72"]),
    ({"course/submitted/ann/ps2/02.ipynb": A, "course/submitted/bo/ps2/02.ipynb": B,
      "course/feedback/ann/ps2/02.html": "<p>", "course/autograded/ann/ps2/02.ipynb": A,
      "course/source/ps2/02.ipynb": course("exercises")}, ["ann", "bo"]),
    ({"hw2-submissions/hw2-ann/02.ipynb": A, "hw2-submissions/hw2-bo/02.ipynb": B,
      "hw2-submissions/hw2-bo/.git/config": "x"}, ["ann", "bo"]),
    ({"HW 2_ann_attempt_2026-10-01-10-00-00_02.ipynb": A,
      "HW 2_ann_attempt_2026-10-01-10-00-00.txt": "Name: Ann",
      "HW 2_bo_attempt_2026-10-02-10-00-00_02.ipynb": B}, ["ann", "bo"]),
    ({"ann.zip": zipped({"my work/02.ipynb": A}), "bo.zip": zipped({"02.ipynb": B})},
     ["ann", "bo"]),
    ({"export.zip": zipped({"ann/02.ipynb": A, "bo/02.ipynb": B})}, ["ann", "bo"]),
    ({"ann/02.ipynb": A, "bo.ipynb": B, "grades.csv": "x", "notes.md": "x"}, ["ann", "bo"]),
    ({"hw2/40231/a.ipynb": A, "hw2/40232/a.ipynb": B}, ["40231", "40232"]),
    ({"assignment_1_export/submission_71/a.ipynb": A,
      "assignment_2_export/submission_72/a.ipynb": B}, ["submission_71", "submission_72"]),
    ({"A/lee_11_501_a.ipynb": A, "A/li_12_502_a.ipynb": B, "B/yu_13_503_a.ipynb": C,
      "B/mo_14_504_a.ipynb": A}, ["11", "12", "13", "14"]),
]  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), LAYOUTS)
def test_every_usual_layout_is_recognized_in_a_folder_and_in_a_zip(tmp_path, files, expected):
    assert students(write(tmp_path / "all", files)) == expected
    write(tmp_path, {"all.zip": zipped(files)})
    assert students(tmp_path / "all.zip") == expected


@pytest.mark.parametrize(("files", "expected"), LAYOUTS)
def test_around_the_class_may_lie_an_archive_and_folders(tmp_path, files, expected):
    root = write(tmp_path, {"Fall/download.zip": zipped({f"hw/{x}": y for x, y in files.items()})})
    try:
        assert students(root) == expected
    except CourseError as question:  # files side by side may be one student's
        assert "--student-level 4" in str(question)
        assert students(root, level=4) == expected


def test_a_copy_beside_the_original_is_flagged(tmp_path):
    root = write(tmp_path, {"ann.ipynb": A, "ann (1).ipynb": B, "bo.ipynb": C})
    flags = {x.student: " ".join(x.flags) for x in read(root).submissions}
    assert "copy" in flags["ann"] and "copy" in flags["ann (1)"] and not flags["bo"]


def test_a_text_instead_of_a_file_has_a_row_too(tmp_path):
    canvas = {"lee_11_501_a.ipynb": A, "li_12_text.html": "<p>", "yu_13_502_a.ipynb": B}
    assert students(write(tmp_path / "c", canvas)) == ["11", "12", "13"]
    moodle = {"Ann_7_assignsubmission_file_/x.ipynb": A,
              "Bo_8_assignsubmission_onlinetext_/onlinetext.html": "<p>"}  # fmt: skip
    assert students(write(tmp_path / "m", moodle)) == ["7", "8"]


def test_canvas_numbers_one_students_files(tmp_path):
    files = {"lee_11_501_a.ipynb": A, "lee_11_502_a-1.ipynb": B, "li_12_503_a.ipynb": C}
    lee, _ = read(write(tmp_path, files)).submissions
    assert lee.student == "11" and lee.source == "lee_11_502_a-1.ipynb", "the later one counts"
    assert any("as many exercises" in x for x in lee.flags)


@pytest.mark.parametrize("name", [
    "lab_12_34_draft.ipynb", "x_7_assignsubmission_file_.ipynb", "submission_5/x.ipynb",
    "submitted/ann/x.ipynb", "HW_bo_attempt_2026-10-01-10-00-00_x.ipynb",
])  # fmt: skip
def test_not_even_if_everyone_chooses_such_names(tmp_path, name):
    root = write(tmp_path, {f"ann/{name}": A, f"bo/{name}": B})
    assert students(root) == ["ann", "bo"]


@pytest.mark.parametrize("name", [
    "lab_12_34_draft.ipynb", "Bo_8_assignsubmission_file_/x.ipynb", "submission_5/x.ipynb",
    "submitted/bo/x.ipynb", "bo.ipynb", "bo.zip", "HW_bo_attempt_2026-10-01-10-00-00_x.ipynb",
])  # fmt: skip
def test_names_inside_of_a_students_folder_decide_nothing(tmp_path, name):
    work = zipped({"bo/02.ipynb": A}) if name.endswith("zip") else A
    root = write(tmp_path, {f"eve/{name}": work, "bo/02.ipynb": B, "cy/02.ipynb": C})
    assert students(root) == ["bo", "cy", "eve"]


def test_a_file_name_cannot_take_another_students_place_in_moodle_or_canvas(tmp_path):
    root = write(tmp_path / "m", {
        "Eve_9_assignsubmission_file_Bo_8_assignsubmission_file_x.ipynb": A,
        "Bo_8_assignsubmission_file_/x.ipynb": B})  # fmt: skip
    assert students(root) == ["8", "9"]
    root = write(tmp_path / "c", {"eve_9_501_bo_8_502_x.ipynb": A, "bo_8_502_x.ipynb": B})
    assert students(root) == ["8", "9"]


def test_names_that_only_look_like_canvas_are_files_of_their_own(tmp_path):
    root = write(tmp_path / "a", {"hw_2_3_ann.ipynb": A, "hw_2_3_bo.ipynb": B})
    assert students(root) == ["hw_2_3_ann", "hw_2_3_bo"]
    root = write(tmp_path / "b", {"lee_11_501_a.ipynb": A, "li_11_502_a.ipynb": B})
    assert students(root) == ["lee_11_501_a", "li_11_502_a"]
    root = write(tmp_path / "c", {"hw_2_3_ann.ipynb": A, "hw_3_4_bo.ipynb": B})
    assert students(root) == ["hw_2_3_ann", "hw_3_4_bo"]


DOUBTS = [
    ({"one/02_a.ipynb": A, "one/02_b.ipynb": B, "one/c.ipynb": C}, "--student-level 2"),
    ({"hw2/ann/02.ipynb": A}, "ann"),
    ({"A/ann/x.ipynb": A, "A/bo/x.ipynb": B, "B/cy/x.ipynb": C, "B/di/x.ipynb": solves("pack")},
     "--student-level 2"),
    ({"ann/x.ipynb": A, "ann.zip": zipped({"x.ipynb": B}), "bo/x.ipynb": C}, "several sources"),
    ({"Ann/x.ipynb": A, "ann/x.ipynb": B, "bo/x.ipynb": C}, "several sources"),
    ({"lee_11_501_a.ipynb": A, "li_12_502_a.ipynb": B, "stray.ipynb": C}, "stray"),
    ({"all.zip": zipped({"ann.ipynb": A, "bo.ipynb": B})}, "--student-level 2"),
    ({"hw_2_3_ann.ipynb": A, "hw_2_4_bo.ipynb": B}, "--layout canvas or flat"),
    ({"hw2/ann/02.ipynb": A, "hw2/bo/hw.pdf": "x"}, "--student-level 2"),
    ({"hw2/ann/a.pdf": "x", "hw2/bo/b.pdf": "x"}, "--student-level 2"),
    ({"hw2/ann.pdf": "x", "hw2/bo.zip": "broken", "hw2/cy.ipynb": A}, "--student-level 2"),
    ({"ann/1/x.ipynb": A, "ann/2/x.ipynb": B}, "--student-level 2"),
    ({"dl/lee_11_501_a.ipynb": A}, "dl or Canvas's 11"),
    ({f"ann/part {i}/x{i}.ipynb": solves("pack", mark=str(i)) for i in range(6)}, "ann"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "words"), DOUBTS)
def test_an_implausible_reading_is_a_question_and_yes_answers_it(tmp_path, files, words):
    root = write(tmp_path, files)
    with pytest.raises(CourseError, match=words) as error:
        read(root)
    assert "Nothing was graded" in str(error.value) and "--yes" in str(error.value)
    assert read(root, accept=True).questions


def test_the_level_answers_the_question(tmp_path):
    root = write(tmp_path, {"A/ann/x.ipynb": A, "A/bo/x.ipynb": B, "B/cy/x.ipynb": C})
    assert students(root, level=2) == ["ann", "bo", "cy"]
    assert students(root, level=1) == ["A", "B"]
    with pytest.raises(CourseError, match="9 levels deep"):
        students(root, level=9)


def test_a_layout_can_be_named_and_is_refused_where_it_is_not(tmp_path):
    root = write(tmp_path, {"x/ann.ipynb": A, "y/bo.ipynb": B})
    assert students(root, kind="flat") == ["ann", "bo"]
    with pytest.raises(CourseError, match="layout of moodle"):
        students(root, kind="moodle")


def test_the_roster_tells_students_from_sections(tmp_path):
    root = write(tmp_path, {"A/ann/x.ipynb": A, "B/bo/x.ipynb": B})
    assert students(root, people=frozenset({"ann", "bo"})) == ["ann", "bo"]
    alone = write(tmp_path / "alone", {"hw2/ann/x.ipynb": A})
    assert students(alone, people=frozenset({"ann"})) == ["ann"]


def test_gradescope_says_who_handed_in_and_when(tmp_path):
    root = write(tmp_path, {"e/submission_71/a.ipynb": A, "e/submission_72/a.ipynb": B,
                            "e/submission_metadata.yml": METADATA,
                            "e/submission_72/submission_metadata.yml": "a: x"})  # fmt: skip
    ann, cy = read(root).submissions
    assert (ann.student, ann.name) == ("ann@x.org", "Ann Lee, Bo Li")
    assert [x["sis_id"] for x in ann.members] == ["1001", "1002"]
    assert ann.submitted.startswith("2026-10-01") and cy.student == "cy@x.org"


@pytest.mark.parametrize("layout", ["ann/timestamp.txt", "ann/w/timestamp.txt"])
def test_a_students_own_timestamp_counts_for_nothing(tmp_path, layout):
    root = write(tmp_path, {"ann/x.ipynb": A, "bo/x.ipynb": B, layout: "2020-01-01 00:00:00 UTC"})
    assert {x.submitted for x in read(root).submissions} == {""}
    archive = {"lee_LATE_11_501_a.zip": zipped({"x.ipynb": A, "timestamp.txt": "2020-01-01"})}
    [lee] = read(write(tmp_path / "canvas", archive)).submissions
    assert lee.late and not lee.submitted


def test_nbgraders_timestamp_counts_and_one_in_an_archive_does_not(tmp_path):
    root = write(tmp_path, {
        "submitted/ann/ps/x.ipynb": A, "submitted/ann/ps/timestamp.txt": "2026-10-01 10:00:00 UTC",
        "submitted/bo/ps/x.zip": zipped({"x.ipynb": B, "timestamp.txt": "2020-01-01"}),
    })  # fmt: skip
    assert [x.submitted for x in read(root).submissions] == ["2026-10-01 10:00:00 UTC", ""]


def test_an_earlier_gradebook_in_the_folder_is_no_student(tmp_path):
    root = write(tmp_path, {"ann/x.ipynb": A, "bo/x.ipynb": B, "gb/results.jsonl": "{}",
                            "gb/gradebook.csv": "x", "gb/feedback/ann.html": "x"})  # fmt: skip
    assert students(root) == ["ann", "bo"]
