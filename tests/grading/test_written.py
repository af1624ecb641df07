"""Written answers: people mark them, and no answer, row or doubt is lost on the way."""

import csv
import io
import json

import pytest
from nbformat.v4 import new_markdown_cell
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.errors import CourseError
from ift_course.exercises import source, written
from ift_course.exercises.generate import KINDS
from ift_course.grading import gradebook, reports
from ift_course.grading.written import agreement, decide, entries, marks, pages
from ift_course.grading.written import collect as collection
from ift_course.grading.written import sheet as sheets
from ift_course.grading.written.marks import Mark, MarksFile
from tests.grading.trees import write

LESSON = "03"
[QUESTION] = written.questions(LESSON)
EVIL = "=HYPERLINK(1)<script>alert(1)</script>"


def notebook(*answers, cell=True):
    """An exercise notebook with this text in the answer cell, one for each answer."""
    texts = ["# Exercises", *(f"{marker()}\n{x}" if cell else x for x in answers)]
    cells = [{"cell_type": "markdown", "source": x, "metadata": {}} for x in texts]
    code = {"cell_type": "code", "source": "def fit(): pass", "metadata": {}, "outputs": []}
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [*cells, code]}
    return json.dumps(document).encode()


def marker(question=QUESTION.id):
    return f"<!-- ift: answer {question}; keep this line -->"


@pytest.fixture
def home(tmp_path):
    """A class of six: three answers, an empty one, one without a cell, and a name to run away."""
    write(tmp_path / "class", {
        "ann.ipynb": notebook("We count the flaws first."), "ben.ipynb": notebook("Use all 4,000."),
        "cat.ipynb": notebook(written.PLACEHOLDER), "dan.ipynb": notebook("Mine.", cell=False),
        "=1+1.ipynb": notebook(EVIL), "eve.ipynb": notebook("We count, and ask eve first."),
    })  # fmt: skip
    return tmp_path


@pytest.fixture
def sheet(home):
    answers = collection.collect(home / "class")
    result = sheets.make(answers, None, named=False)
    sheets.save(result, home / "out")
    return result


def code_of(sheet, student):
    return next(code for code, x in sheet.answers.items() if x.student == student)


def filled(sheet, name="anna", **points):
    """A marker's file in memory: the same points for every criterion of a student's answer."""
    result = MarksFile(name)
    for student, value in points.items():
        for criterion in QUESTION.rubric:
            result.marks[code_of(sheet, student), criterion.id] = Mark(value)
    return result


def fill(path, change=lambda row: row):
    """Gives one point everywhere in a file, then lets `change` alter a row or drop it (None)."""
    rows = [change(dict(x, points="1")) for x in csv.DictReader(io.StringIO(path.read_text()))]
    rows = [x for x in rows if x]
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_every_question_of_the_course_has_one_place_in_its_source():
    for question in written.questions():
        [path] = [x for x in source.sources() if x.name.startswith(question.lesson)]
        texts = [x.text for x in source.pieces(path.read_text(encoding="utf-8")) if x.markdown]
        assert [m[1] for x in texts if (m := written.PLACE.fullmatch(x))].count(question.id) == 1
        assert question.points == 10


def test_exercises_have_a_cell_for_the_answer_and_solutions_have_a_model_answer():
    cell = new_markdown_cell(f"{{{{ written {QUESTION.id} }}}}")
    texts = {kind: [x.source for x in written.expanded([cell], kind)] for kind in KINDS}
    assert written.answers(texts["exercises"]) == [(QUESTION.id, "")]
    assert written.answers(texts["solutions"]) == []
    assert QUESTION.answer in texts["solutions"][1] and QUESTION.answer not in str(
        texts["exercises"]
    )
    assert all(criterion.says in texts["exercises"][0] for criterion in QUESTION.rubric)


def test_a_handed_out_notebook_has_an_empty_answer_and_a_solution_none():
    assert written.answers([written.answer_text(QUESTION)]) == [(QUESTION.id, "")]
    text = f"above\n{marker()}\nbelow"
    assert written.answers([text]) == [(QUESTION.id, "above\n\nbelow")]
    assert written.answers(["# A heading without a mark"]) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_answers_are_found_in_notebooks_of_any_encoding_and_in_scripts(encoding):
    data = notebook("Ärger").decode().encode(encoding)
    assert written.answers_in(data, "x.ipynb") == [(QUESTION.id, "Ärger")]
    script = f"# %% [markdown]\n# {marker()}\n# Two\n# lines\n\n# %%\nx = 1\n"
    assert written.answers_in(script.encode(), "x.py") == [(QUESTION.id, "Two\nlines")]


def test_everybody_has_an_answer_or_a_reason_why_not(sheet):
    assert {x.student for x in sheet.answers.values()} == {"ann", "ben", "=1+1", "eve"}
    assert {x.student: x.has_cell for x in sheet.blank} == {"cat": True, "dan": False}


def test_of_two_files_the_answered_one_counts_and_the_other_is_named(tmp_path):
    write(tmp_path, {"c/jo/a.ipynb": notebook("Long ago."), "c/jo/b.ipynb": notebook(""),
                     "c/jo/n.txt": "hello", "c/al/a.ipynb": notebook("x")})  # fmt: skip
    answers = collection.collect(tmp_path / "c")
    assert next(x.text for x in answers.answers if x.student == "jo") == "Long ago."
    reasons = {x.file: x.reason for x in answers.uses if x.student == "jo"}
    assert reasons["jo/a.ipynb"] == "" and "same student" in reasons["jo/b.ipynb"]
    assert reasons["jo/n.txt"] == "It has no answer cell."


def test_answers_of_several_lessons_are_not_mixed(tmp_path):
    other = notebook("x").replace(QUESTION.id.encode(), b"09.w1")
    write(tmp_path, {"c/ann.ipynb": notebook("x"), "c/ben.ipynb": other})
    with pytest.raises(CourseError, match="03, 09; choose one with --lesson 03"):
        collection.collect(tmp_path / "c")
    assert len(collection.collect(tmp_path / "c", "09").answers) == 2


def test_markers_see_no_name_and_no_text_of_a_student_is_run(sheet, home):
    page = pages.marking_page(sheet, QUESTION)
    assert "<script" not in page and "&lt;script&gt;" in page
    assert not [x for x in ("ann.ipynb", ">ann<", "1+1") if x in page]
    assert all(criterion.id in page for criterion in QUESTION.rubric)
    path = marks.file_of(home / "out", "anna")
    marks.write(path, sheet)
    assert "ann" not in path.read_text().replace("anna", "")


def test_names_are_harmless_in_the_file_and_found_again(home):
    named = sheets.make(collection.collect(home / "class"), None, named=True)
    path = home / "marks-anna.csv"
    marks.write(path, named)
    rows = list(csv.reader(io.StringIO(path.read_text())))
    assert not [x for row in rows for x in row if x.startswith(("=", "+", "-", "@"))]
    assert len(marks.read(fill(path), named).marks) == 4 * len(QUESTION.rubric)


def test_a_sheet_is_the_same_when_it_is_read_again_and_codes_stay(sheet, home):
    assert sheets.load(home / "out") == sheet
    again = sheets.make(collection.collect(home / "class"), sheet, named=False)
    assert again.answers == sheet.answers and not again.past


def test_an_answer_that_is_handed_in_again_gets_no_points_of_the_old_one(sheet, home):
    path = home / "marks-anna.csv"
    marks.write(path, sheet)
    fill(path)
    (home / "class" / "ben.ipynb").write_bytes(notebook("Fewer, and better."))
    new = sheets.make(collection.collect(home / "class"), sheet, named=False)
    result = marks.read(path, new)
    assert result.past == len(QUESTION.rubric) and result.unmarked == [code_of(new, "ben")]
    marks.write(path, new)
    assert marks.read(path, new).unmarked == [code_of(new, "ben")]
    assert code_of(sheet, "ben") in path.with_suffix(".old.csv").read_text()


def test_what_the_instructor_should_know_is_said(home, sheet):
    (home / "class" / "cat.ipynb").write_bytes(notebook("We  count the flaws first."))
    (home / "class" / "dan.ipynb").write_bytes(notebook("![plan](attachment:plan.png)"))
    people = [{"student": "ben", "name": "Benjamin Zephaniah"}]
    (home / "class" / "ben.ipynb").write_bytes(notebook("As Zephaniah I say: all."))
    text = " ".join(sheets.look_at(sheets.make(collection.collect(home / "class"), None, False),
                                   people))  # fmt: skip
    assert "author's name" in text and "a picture" in text and "2 times" in text


@pytest.mark.parametrize(("change", "message"), [
    ({"student": "XXXX-XXXX"}, "row 2: no answer has the code"),
    ({"question": "03.w9"}, "row 2: .* not '03.w9'"),
    ({"criterion": "style"}, "row 2: 03.w1 has no criterion 'style'"),
    ({"points": "2.5"}, "row 2: counts-flaws is worth 0 to 2 points, not 2.5; change it"),
    ({"points": "-1"}, "row 2: .* not -1"), ({"points": "nan"}, "row 2: 'nan' is not a number"),
    ({"points": "0.3"}, "row 2: 0.3 is not a multiple of 0.5; round it"),
    ({"points": ""}, "row 2: .* has no points for counts-flaws; write 0"),
    (None, "has no row for .*, counts-flaws; add one"),
    ({"criterion": "few-and-good"}, "row 3: .* there twice; delete one"),
])  # fmt: skip
def test_a_mistake_of_a_marker_is_one_sentence_with_the_row_and_the_remedy(
    sheet, home, change, message
):
    path = home / "marks-anna.csv"
    marks.write(path, sheet)
    first = min(sheet.answers)

    def altered(row):
        hit = row["student"] == first and row["criterion"] == QUESTION.rubric[0].id
        return (row | change if change else None) if hit else row

    with pytest.raises(CourseError, match=f"marks-anna.csv,? ?.*{message}"):
        marks.read(fill(path, altered), sheet)


def test_a_spreadsheets_semicolons_and_decimal_commas_are_read(sheet, home):
    path = home / "marks-anna.csv"
    marks.write(path, sheet)
    fill(path)
    path.write_text(path.read_text().replace(",", ";").replace(";1;", ";1,5;"))
    assert {x.points for x in marks.read(path, sheet).marks.values()} == {1.5}


def test_marks_close_together_are_averaged_and_others_wait_for_a_third_look(sheet):
    anna = filled(sheet, "anna", ann=2, ben=2, eve=0)
    ben = filled(sheet, "ben", ann=2, ben=0.5, eve=0)
    key = code_of(sheet, "eve"), QUESTION.rubric[0].id
    ben.marks[key] = Mark(0.5)
    decision = decide.decide(sheet, [anna, ben])
    earned = {who: sum(x["points"] for x in decision.points["students"][who].values())
              for who in ("ann", "eve", "ben")}  # fmt: skip
    assert earned == {"ann": 10, "eve": 0.25, "ben": 0}
    assert {code for code, _ in decision.open} == {code_of(sheet, "ben")}
    assert decision.unmarked == [code_of(sheet, "=1+1")]
    third = MarksFile("third_look", {k: Mark(1.5, "I agree") for k in decision.open},
                      third_look=True)  # fmt: skip
    settled = decide.decide(sheet, [anna, ben, third])
    assert not settled.open
    assert {x["points"] for x in settled.points["students"]["ben"].values()} == {1.5}


def test_small_differences_that_add_up_need_a_third_look_too(sheet):
    files = [filled(sheet, "anna", ann=1), filled(sheet, "ben", ann=0.5)]
    assert len(agreement.too_far_apart(files, sheet)) == len(QUESTION.rubric)


def test_agreement_is_one_for_equal_marks_and_undefined_without_variation(sheet):
    anna = filled(sheet, "anna", ann=2, ben=0, eve=1)
    first = agreement.agreements([anna, filled(sheet, "b", ann=2, ben=0, eve=1)], sheet)
    assert {(x.kappa, x.same, x.apart, x.answers) for x in first} == {(1, 1, 0, 3)}
    flat = filled(sheet, "anna", ann=1, ben=1), filled(sheet, "b", ann=1, ben=1)
    assert {x.kappa for x in agreement.agreements(flat, sheet)} == {None}


def test_points_stand_beside_those_of_the_checks_and_missing_cells_need_a_look(sheet, home):
    out, first = home / "out", QUESTION.rubric[0].id
    plan = {"kind": "plan", "lesson": LESSON, "exercises": [
        {"id": "03.1", "function": "f", "title": "First", "checks": [
            {"id": "03.1/a", "title": "A", "worth": 2, "hidden": False}]}]}  # fmt: skip
    lines = [plan]
    for student in ("ann", "ben", "cat", "dan"):
        lines.append(
            {
                "kind": "submission",
                "student": student,
                "name": student,
                "sha": "",
                "source": "x",
                "late": False,
                "submitted": "",
                "notes": [],
                "rungs": [],
            }
        )
        lines.append(
            {
                "kind": "verdict",
                "student": student,
                "key": "",
                "check": "03.1/a",
                "title": "A",
                "points": 2,
                "status": "passed",
                "message": "",
                "seconds": 0,
            }
        )
    (out / "results.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    anna = filled(sheet, "anna", ann=1.5, ben=0)
    anna.marks[code_of(sheet, "ann"), first].comment = f"Good {EVIL}"
    decide.write(decide.decide(sheet, [anna]), out)
    book = gradebook.load(out)
    grades = {x.student: (x.total, x.points, x.status) for x in book.grades}
    assert grades == {"ann": (9.5, 12, "graded"), "ben": (2, 12, "graded"),
                      "cat": (2, 12, "graded"), "dan": (2, 12, "needs review")}  # fmt: skip
    assert book.points == 12 and book.grades[0].passed(hidden=False) == (1, 1)
    assert entries.unknown(gradebook.read(out / "results.jsonl"), entries.load(out)) == [
        "=1+1", "eve",
    ]  # fmt: skip
    reports.write(book, out)
    feedback = (out / "feedback" / "ann.html").read_text(encoding="utf-8")
    assert "Good =HYPERLINK(1)&lt;script&gt;" in feedback and "1.5 / 2" in feedback
    assert 'failures="0"' in (out / "junit.xml").read_text().split('name="ben"')[0]
    (out / "overrides.csv").write_text("student,what,points,reason\nben,03.w1,3,oral\n")
    assert gradebook.load(out).find("ben").total == 5


def test_no_other_line_of_the_results_gives_partial_points(tmp_path):
    plan = {"kind": "plan", "lesson": LESSON, "exercises": [
        {"id": "03.1", "function": "f", "title": "", "checks": [
            {"id": "03.1/a", "title": "A", "worth": 2, "hidden": False}]}]}  # fmt: skip
    person = {"kind": "submission", "student": "a", "name": "a", "sha": "", "source": "x",
              "late": False, "submitted": "", "notes": [], "rungs": []}  # fmt: skip
    verdict = {"kind": "verdict", "student": "a", "key": "", "check": "03.1/a", "title": "",
               "points": 99, "status": "marked", "message": "", "seconds": 0}  # fmt: skip
    lines = "".join(json.dumps(x) + "\n" for x in (plan, person, verdict))
    (tmp_path / "results.jsonl").write_text(lines)
    assert gradebook.load(tmp_path).grades[0].total == 0


def test_points_of_another_lesson_are_refused(sheet, home):
    out = home / "out"
    plan = {"kind": "plan", "lesson": "02", "exercises": []}
    (out / "results.jsonl").write_text(json.dumps(plan) + "\n")
    decide.write(decide.decide(sheet, [filled(sheet, ann=1)]), out)
    with pytest.raises(CourseError, match="a gradebook for each lesson"):
        gradebook.load(out)


def run(*arguments):
    return CliRunner().invoke(app, ["grade", *(str(x) for x in arguments)])


def test_the_command_goes_from_a_folder_to_points(home):
    out = home / "gb"
    result = run("--written", home / "class", "--markers", "anna,ben", "--out", out)
    assert result.exit_code == 0, result.output
    assert "4 answers, 1 empty, 1 without an answer cell" in result.output.replace("\n", " ")
    files = [out / "written" / f"marks-{x}.csv" for x in ("anna", "ben")]
    for path in files:
        fill(path)
    result = run("--marks", files[0], "--marks", files[1], "--out", out)
    assert result.exit_code == 0 and "undefined" in result.output, result.output
    points = json.loads((out / "written" / "points.json").read_text())
    assert sum(x["points"] for x in points["students"]["ann"].values()) == len(QUESTION.rubric)


@pytest.mark.parametrize(("arguments", "message"), [
    (["--written"], "Name what to collect"),
    (["--written", "nowhere"], "There is nothing at nowhere"),
    (["--written", ".", "--lesson", "02"], "Lesson 02 has no open question"),
    (["--written", ".", "--markers", "a/b"], "no name for a marker"),
    (["--marks", "x.csv"], "ift grade --written"),
])  # fmt: skip
def test_a_mistake_in_the_command_is_one_sentence(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2 and message in result.output.replace("\n", " ")
