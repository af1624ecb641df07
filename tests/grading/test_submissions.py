"""Every usual layout is understood, and no archive reaches out of itself."""

import io
import json
import os
import stat
import zipfile

import pytest

from ift_course.errors import CourseError
from ift_course.grading.submissions.collect import find
from ift_course.grading.submissions.submission import Submission
from ift_course.grading.submissions.submission import cells as cells_of

CODE = "def response_labels(ids, n):\n    return ids\n"


def notebook(*sources, minor=5, **metadata):
    cells = [{"cell_type": "code", "source": x, "metadata": {}, "outputs": [],
              "execution_count": None} for x in sources]  # fmt: skip
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": minor, "metadata": metadata, "cells": cells}
    )


def put(folder, *names, text=None):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text or notebook(CODE))


def by_student(root):
    return {x.student: x for x in find(root, "02", ["response_labels"])}


@pytest.mark.parametrize(("names", "students"), [
    (["jane/02.ipynb", "joe/anything.ipynb"], ["jane", "joe"]),
    (["jane.ipynb", "joe.py"], ["jane", "joe"]),
    (["doejane_123_456_02_topic.ipynb", "roejoe_LATE_124_457_02_topic-1.ipynb"], ["123", "124"]),
    (["Jane Doe_77_assignsubmission_file_/02.ipynb",
      "Joe Roe_78_assignsubmission_file_02.ipynb"], ["77", "78"]),
    (["submitted/jane/02/02.ipynb", "submitted/joe/02/02.ipynb"], ["jane", "joe"]),
])  # fmt: skip
def test_the_usual_layouts_in_a_folder_and_in_a_zip(tmp_path, names, students):
    put(tmp_path / "all", *names)
    assert sorted(by_student(tmp_path / "all")) == students
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in names:
            archive.write(tmp_path / "all" / name, name)
    assert sorted(by_student(tmp_path / "all.zip")) == students


def test_canvas_says_who_was_late_and_nbgrader_when(tmp_path):
    put(tmp_path / "a", "roejoe_LATE_124_457_02.ipynb")
    assert by_student(tmp_path / "a")["124"].late
    put(tmp_path / "b", "submitted/jane/02/02.ipynb")
    put(tmp_path / "b", "submitted/jane/02/timestamp.txt", text="2026-10-01 10:00:00.5 UTC")
    assert by_student(tmp_path / "b")["jane"].submitted == "2026-10-01 10:00:00.5 UTC"


def test_a_zip_for_each_student_as_otter_makes_them(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("02.ipynb", notebook(CODE))
        archive.writestr(".OTTER_LOG", "x")
    (tmp_path / "jane.zip").write_bytes(inner.getvalue())
    assert cells_of(by_student(tmp_path)["jane"]) == [(1, CODE)]


def test_of_several_files_the_one_with_the_functions_counts(tmp_path):
    put(tmp_path, "jane/99_notes.ipynb")
    put(tmp_path, "jane/02_empty.ipynb", "jane/torch.py", text=notebook("x = 1"))
    jane = by_student(tmp_path)["jane"]
    assert jane.source == "jane/99_notes.ipynb"
    assert "3 files" in jane.notes[0]


def test_links_are_not_followed(tmp_path):
    put(tmp_path / "secret", "02.ipynb")
    put(tmp_path / "all", "jane/02.ipynb")
    os.symlink(tmp_path / "secret", tmp_path / "all" / "joe")
    os.symlink(tmp_path / "secret" / "02.ipynb", tmp_path / "all" / "eve.ipynb")
    assert sorted(by_student(tmp_path / "all")) == ["jane"]


def test_an_archive_cannot_name_what_is_outside_of_it(tmp_path):
    link = zipfile.ZipInfo("eve/02.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    before = sorted(tmp_path.rglob("*"))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("../escaped/02.ipynb", notebook(CODE))
        archive.writestr("/absolute/02.ipynb", notebook(CODE))
        archive.writestr("a\\..\\..\\windows/02.ipynb", notebook(CODE))
        archive.writestr(link, "/etc/passwd")
        archive.writestr("jane/02.ipynb", notebook(CODE))
    assert sorted(by_student(tmp_path / "all.zip")) == ["jane"]
    assert sorted(tmp_path.rglob("*")) == [*before, tmp_path / "all.zip"]


@pytest.mark.parametrize("make", ["nothing", "empty"])
def test_nothing_to_grade_is_said_in_one_sentence(tmp_path, make):
    root = tmp_path / "x"
    if make == "empty":
        root.mkdir()
    with pytest.raises(CourseError, match=str(root)):
        by_student(root)


def cells(text, name="x.ipynb"):
    data = text if isinstance(text, bytes) else text.encode()
    return cells_of(Submission("jane", "Jane", name, data))


def test_cells_of_notebooks_of_all_versions():
    assert cells(notebook("a = 1", "b = 2")) == [(1, "a = 1"), (2, "b = 2")]
    lines = json.dumps({"nbformat": 4, "nbformat_minor": 0, "cells": [
        {"cell_type": "markdown", "source": ["# x"]},
        {"cell_type": "code", "source": ["a = 1\n", "b = 2"]}]})  # fmt: skip
    assert cells(lines) == [(2, "a = 1\nb = 2")]
    old = {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["a = 1"]}]}]}
    assert cells(json.dumps(old)) == [(1, "a = 1")]


def test_windows_lines_and_marks_at_the_start_do_not_matter():
    assert cells(b"\xef\xbb\xbf" + notebook("a = 1\r\nb = 2").encode()) == [(1, "a = 1\nb = 2")]


def test_python_files_are_cut_at_their_cells_and_keep_their_line_numbers():
    text = "a = 1\n# %% [markdown]\n# words\n# %%\nb = 2\n"
    assert cells(text, "x.py") == [(1, "a = 1\n"), (3, "\n\n\n# %%\nb = 2\n")]


def test_what_is_kept_of_a_notebook_keeps_the_numbers_of_its_cells(tmp_path):
    words = {"cell_type": "markdown", "source": "words"}
    content = json.loads(notebook(CODE, "x = '\\u00e9'"))
    content["cells"].insert(1, words)
    (tmp_path / "jane.ipynb").write_text(json.dumps(content))
    assert cells_of(by_student(tmp_path)["jane"]) == [(1, CODE), (3, "x = '\\u00e9'")]
