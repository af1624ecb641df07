"""The gradebook says what the results, the roster, the policy and the overrides say."""

import csv
import io
import json

import pytest

from ift_course.errors import CourseError
from ift_course.grading import gradebook, reports
from ift_course.grading.roster import rows_without_person

PLAN = {"kind": "plan", "lesson": "02", "exercises": [
    {"id": "02.1", "function": "f", "title": "First", "checks": [
        {"id": "02.1/a", "title": "A", "worth": 2, "hidden": False},
        {"id": "02.1/b", "title": "B", "worth": 1, "hidden": True}]},
    {"id": "02.2", "function": "g", "title": "Second", "checks": [
        {"id": "02.2/c", "title": "C", "worth": 7, "hidden": False}]}]}  # fmt: skip
CHECKS = ["02.1/a", "02.1/b", "02.2/c"]
EVIL = '=HYPERLINK("x")<script>alert(1)</script>\x1b[2J`````'


def submission(student, **more):
    return {"kind": "submission", "student": student, "name": student.title(), "source": "x.ipynb",
            "sha": "0", "late": False, "submitted": "", "notes": [], "rungs": ["rlimits"],
            **more}  # fmt: skip


def verdict(student, check, status="passed", **more):
    return {"kind": "verdict", "student": student, "check": check, "status": status, "key": "k",
            "points": 1, "title": "T", "message": "", "given": "", "expected": "", "got": "",
            "line": "", "number": 0, "mask": None, "seconds": 0.5, **more}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """write(results, roster=…, overrides=…, policy=…) -> the loaded gradebook."""

    def write(lines, **files):
        text = "".join(json.dumps(x) + "\n" for x in [PLAN, *lines])
        (tmp_path / "results.jsonl").write_text(text)
        for name, content in files.items():
            ending = "json" if name == "policy" else "csv"
            (tmp_path / f"{name}.{ending}").write_text(content)
        return gradebook.load(tmp_path)

    write.path = tmp_path
    return write


def all_passed(student, **more):
    return [submission(student, **more), *(verdict(student, x) for x in CHECKS)]


def rows(path):
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_points_come_only_from_passed_checks(folder):
    statuses = ["passed", "timeout", "failed"]
    lines = [verdict("ann", x, s) for x, s in zip(CHECKS, statuses, strict=True)]
    [ann] = folder([submission("ann"), *lines]).grades
    assert (ann.total, ann.points, ann.status) == (2, 10, "graded")
    assert [x.earned for x in ann.exercises] == [2, 0]


@pytest.mark.parametrize("status", ["skipped", "xfail", "crashed", "error", "", "PASSED"])
def test_no_other_status_earns_anything(folder, status):
    [ann] = folder([submission("ann"), *(verdict("ann", x, status) for x in CHECKS)]).grades
    assert ann.total == 0


def test_the_last_verdict_counts_and_a_missing_one_is_incomplete(folder):
    lines = [submission("ann"), verdict("ann", "02.2/c"), verdict("ann", "02.2/c", "failed")]
    [ann] = folder(lines).grades
    assert (ann.total, ann.status) == (0, "incomplete")
    lines.append(verdict("ann", "02.1/a", "needs review"))
    assert folder(lines).grades[0].status == "needs review"


def test_the_roster_names_students_by_any_of_their_keys_and_finds_who_is_missing(folder):
    roster = "Student,Name,Canvas ID,email\nann,Ann A,123,a@x.org\nbob,Bob B,124,b@x.org\n"
    book = folder(all_passed("123"), roster=roster)
    assert [(x.student, x.name, x.status, x.total) for x in book.grades] == [
        ("ann", "Ann A", "graded", 10),
        ("bob", "Bob B", "missing", 0),
    ]
    assert book.find("a@x.org").student == "ann"


@pytest.mark.parametrize(("submitted", "late", "days", "total"), [
    ("2026-10-01T23:59:00Z", False, 0, 10), ("2026-10-02T00:20:00+00:00", False, 1, 9),
    ("2026-10-04T12:00:00Z", False, 3, 7), ("2026-12-01 00:00:00 UTC", False, 60, 5),
    ("", True, 1, 9), ("", False, 0, 10), ("2026-10-02T00:05:00Z", False, 0, 10),
])  # fmt: skip
def test_each_begun_day_costs_its_share(folder, submitted, late, days, total):
    policy = json.dumps({"due": "2026-10-02T00:00:00Z", "percent_per_day": 10,
                         "percent_at_most": 50, "grace_minutes": 10})  # fmt: skip
    [ann] = folder(all_passed("ann", submitted=submitted, late=late), policy=policy).grades
    assert (ann.days_late, ann.total) == (days, total)


def test_overrides_always_win_and_say_why(folder):
    overrides = ("student,what,points,reason\nann,02.1/a,1.5,half right\nann,02.2,3,agreed\n"
                 "bob,total,8.25,viva\ncid,days late,0,was ill\n")  # fmt: skip
    policy = json.dumps({"due": "2026-10-02T00:00:00Z", "percent_per_day": 10})
    lines = [*all_passed("ann"), *all_passed("bob"), *all_passed("cid", late=True)]
    ann, bob, cid = folder(lines, overrides=overrides, policy=policy).grades
    assert (ann.total, bob.total, cid.total) == (5.5, 8.25, 10)
    assert "02.2 set to 3: agreed" in ann.overrides


@pytest.mark.parametrize(("name", "text", "message"), [
    ("overrides", "student,what,points,reason\nann,02.9,1,x\n", "row 2.*02.9"),
    ("overrides", "student,what,points,reason\nzoe,total,1,x\n", "row 2.*zoe"),
    ("overrides", "student,what,points,reason\nann,total,much,x\n", "row 2.*much"),
    ("overrides", "student,points\nann,1\n", "reason, what"),
    ("roster", "name\nAnn\n", "student"),
    ("roster", "student\nann\nann\n", "row 3.*twice"),
    ("policy", '{"percent": 10}', "policy"),
])  # fmt: skip
def test_a_mistake_in_a_file_is_named_with_its_row(folder, name, text, message):
    with pytest.raises(CourseError, match=message):
        folder(all_passed("ann"), **{name: text})


def test_nothing_graded_yet_is_said(tmp_path):
    with pytest.raises(CourseError, match="ift grade"):
        gradebook.load(tmp_path)


def test_reports_are_the_same_bytes_whenever_they_are_written(folder):
    book = folder([*all_passed("ann"), *all_passed("Zoë / 7")])
    before = {x: x.read_bytes() for x in reports.write(book, folder.path)}
    assert {x.name for x in before} >= {"gradebook.csv", "junit.xml", "overview.html", "ann.html"}
    after = {x: x.read_bytes() for x in reports.write(gradebook.load(folder.path), folder.path)}
    assert before == after


def test_what_a_student_wrote_is_harmless_everywhere(folder):
    lines = [submission(EVIL, name=EVIL, notes=[EVIL])]
    lines += [verdict(EVIL, x, "failed", message=EVIL, given=EVIL, got=EVIL) for x in CHECKS]
    book = folder(lines)
    written = reports.write(book, folder.path)
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert folder.path in path.parents
        if path.suffix == ".html":
            assert "<script" not in text
    rows = list(csv.reader(io.StringIO((folder.path / "gradebook.csv").read_text())))
    assert not [x for row in rows for x in row if x.startswith(("=", "+", "-", "@"))]
    markdown = next(x for x in written if x.suffix == ".md").read_text()
    assert "\\<script\\>" in markdown
    json.loads(next(x for x in written if x.suffix == ".json").read_text())


def test_a_hidden_check_shows_its_title_and_nothing_else(folder):
    secret = {"message": "SECRET", "given": "SECRET", "expected": "SECRET", "got": "SECRET",
              "line": "SECRET", "advice": "SECRET"}  # fmt: skip
    book = folder([submission("ann"), verdict("ann", "02.1/b", "failed", **secret)])
    written = reports.write(book, folder.path)
    assert not [x for x in written if "SECRET" in x.read_text()]
    assert "hidden" in (folder.path / "feedback" / "ann.html").read_text()


def test_canvas_and_moodle_find_their_columns(folder):
    roster = "student,name,canvas_id,moodle_id,login\nann,Ann,123,77,ann7\n"
    reports.write(folder(all_passed("123"), roster=roster), folder.path)
    canvas = rows(folder.path / "canvas.csv")
    assert canvas[0]["Lesson 02"] == "10" and "Points Possible" in canvas[0]["Student"]
    assert (canvas[1]["ID"], canvas[1]["SIS Login ID"], canvas[1]["Lesson 02"]) == (
        "123", "ann7", "10",
    )  # fmt: skip
    [moodle] = rows(folder.path / "moodle.csv")
    assert (moodle["Identifier"], moodle["Grade"]) == ("Participant 77", "10")


CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Lesson 02 (99)
"    Points Possible",,,,,61
"Lee, Ann",11,s1,ann,A,
"Li, Bo",12,s2,bo,A,
"Student, Test",13,,test,A,
"""


def test_canvas_gradebook_as_roster_makes_people_of_people_only(folder):
    book = folder(all_passed("11"), roster=CANVAS)
    assert [(x.student, x.name, x.status) for x in book.grades] == [
        ("ann", "Lee, Ann", "graded"), ("bo", "Li, Bo", "missing"),
    ]  # fmt: skip
    others = rows_without_person(folder.path / "roster.csv")
    assert others == ["Points Possible", "Student, Test"]
    reports.write(book, folder.path)
    canvas = {x["Student"]: x for x in rows(folder.path / "canvas.csv")}
    assert (canvas["Lee, Ann"]["ID"], canvas["Lee, Ann"]["SIS User ID"]) == ("11", "s1")


@pytest.mark.parametrize("roster", [
    "Identifier,Full name,Email address,Grade\nParticipant 77,Ann Lee,ann@x.org,\n",
    "First Name,Last Name,SID,Email\nAnn,Lee,77,ann@x.org\n",
    "name;email;sid\nAnn Lee;ann@x.org;77\n",
])  # fmt: skip
def test_exports_of_other_platforms_are_rosters_too(folder, roster):
    [ann] = folder(all_passed("77"), roster=roster).grades
    assert (ann.student, ann.name, ann.status) == ("ann@x.org", "Ann Lee", "graded")


@pytest.mark.parametrize("key", ["Team One", "teamone", "ann", "bo"])
def test_a_group_is_graded_once_and_everyone_in_it_has_a_row(folder, key):
    roster = "student,name,group\nann,Ann,Team One\nbo,Bo,Team One\ncy,Cy,\n"
    book = folder([*all_passed(key), *all_passed("cy")], roster=roster)
    assert [(x.student, x.total) for x in book.grades] == [("ann", 10), ("bo", 10), ("cy", 10)]
    reports.write(book, folder.path)
    assert (folder.path / "feedback" / "bo.html").is_file()


def test_members_whom_the_platform_names_have_rows_without_a_roster_too(folder):
    members = [{"name": "Ann", "email": "ann@x.org", "sis_id": "1"},
               {"name": "Bo Li", "email": "bo@x.org", "sis_id": ""}]  # fmt: skip
    lines = all_passed("ann@x.org", members=members)
    assert [(x.student, x.name) for x in folder(lines).grades] == [
        ("ann@x.org", "Ann"), ("bo@x.org", "Bo Li"),
    ]  # fmt: skip
    roster = "student,sis_id\nann,1\nbo,2\n"
    assert [x.student for x in folder(lines, roster=roster).grades] == ["ann", "bo", "bo@x.org"]


def test_of_a_groups_two_submissions_the_later_counts_and_both_are_named(folder):
    roster = "student,group\nann,one\nbo,one\n"
    early = [submission("ann", submitted="2026-10-01T10:00:00Z"),
             *(verdict("ann", x) for x in CHECKS)]  # fmt: skip
    late = [submission("bo", submitted="2026-10-02T10:00:00Z"), verdict("bo", CHECKS[0])]
    for grade in folder([*early, *late], roster=roster).grades:
        assert grade.total == 2 and "handed in 2 times: ann, bo" in " ".join(grade.flags)


def test_one_persons_two_submissions_are_not_chosen_from(folder):
    roster = "student,canvas_id\nann,11\n"
    with pytest.raises(CourseError, match="'ann' and '11'"):
        folder([*all_passed("ann"), *all_passed("11")], roster=roster)


def test_a_submission_that_is_on_no_roster_is_flagged(folder):
    book = folder([*all_passed("ann"), *all_passed("zed")], roster="student\nann\n")
    assert [bool(x.flags) for x in book.grades] == [False, True]


def test_a_student_of_an_earlier_reading_of_the_folder_is_gone(folder):
    account = {"kind": "account", "root": "/all", "students": ["ann"], "layout": "", "files": 1,
               "used": [["ann/x", "ann"]], "unused": [["b", "", "A reason."]]}  # fmt: skip
    lines = [*all_passed("hw2", root="/all"), *all_passed("ann", root="/all"),
             *all_passed("late", root="/other"), account]  # fmt: skip
    book = folder(lines)
    assert [x.student for x in book.grades] == ["ann", "late"]
    reports.write(book, folder.path)
    assert "A reason." in (folder.path / "overview.html").read_text()
    uses = {x["file"]: x["use"] for x in rows(folder.path / "files.csv")}
    assert uses == {"ann/x": "used", "b": "not used"}


def test_flags_are_for_the_instructor_only(folder):
    book = folder(all_passed("ann", flags=["Word for word."]))
    reports.write(book, folder.path)
    assert rows(folder.path / "gradebook.csv")[0]["flags"] == "Word for word."
    assert "Word for word." in (folder.path / "overview.html").read_text()
    for path in (folder.path / "feedback").iterdir():
        assert "Word for word." not in path.read_text()
