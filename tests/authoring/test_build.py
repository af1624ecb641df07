"""A source becomes a notebook with stable cells, and a stale notebook is recognized."""

import re
from itertools import pairwise

import nbformat
import pytest

from ift_course import links
from ift_course.authoring import build
from ift_course.exercises import notebook_files
from ift_course.lessons.discover import Lesson, lessons

SOURCE = """\
# %% [markdown]
# # A title
#
# {{ badge }}
#
# {{ cost }}

# %%
print("twice")

# %%
print("twice")
"""


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path / "results"))
    source = tmp_path / "01_title.py"
    source.write_text(SOURCE, encoding="utf-8")
    return Lesson("01", "01_title", source)


def test_cell_ids_are_unique_valid_and_stay_when_another_cell_comes(lesson):
    before = build.read(lesson)
    nbformat.validate(before)
    lesson.source.write_text(SOURCE.replace("# %%\nprint", "# %%\n1\n\n# %%\nprint", 1))
    after = build.read(lesson)
    assert [x.id for x in before.cells] == [after.cells[i].id for i in (0, 2, 3)]


def test_words_are_filled_in_from_the_package_metadata(lesson):
    text = build.read(lesson).cells[0].source
    repository = links.repository_url()
    assert "{{" not in text
    path = repository.removeprefix("https://github.com/")
    colab = "https://colab.research.google.com/github/"
    assert f"]({colab}{path}/blob/main/notebooks/01_title.ipynb)" in text
    assert "| `tiny` |" in text


def test_new_measurements_do_not_make_a_notebook_differ_but_new_words_do(lesson):
    notebook = build.read(lesson)
    cell = notebook.cells[0]
    cell.source = cell.source.replace("| `tiny` |", "| `tiny` | 2 min 05 s |")
    notebook_files.write(notebook, build.notebook_path(lesson))
    assert build.difference(lesson) is None
    cell.source = cell.source.replace("A title", "Another title")
    notebook_files.write(notebook, build.notebook_path(lesson))
    assert "cell 1" in build.difference(lesson)


def outputs_after_writing(lesson, outputs):
    notebook = build.read(lesson)
    notebook.cells[1].outputs = outputs
    notebook_files.write(notebook, build.notebook_path(lesson))
    return nbformat.read(build.notebook_path(lesson), as_version=4).cells[1].outputs


def test_a_widget_leaves_only_its_static_form(lesson):
    def output(**data):
        return nbformat.v4.new_output("display_data", data=data)

    live = {notebook_files.WIDGET: {"model_id": "1"}, "text/plain": "VBox()"}
    result = outputs_after_writing(
        lesson, [output(**live), output(**live, **{"text/html": "<p>still</p>"})]
    )
    assert [dict(x.data) for x in result] == [{"text/plain": "VBox()", "text/html": "<p>still</p>"}]


def test_printed_text_is_one_output_however_it_arrived(lesson):
    def stream(name, text):
        return nbformat.v4.new_output("stream", name=name, text=text)

    pieces = [stream("stdout", "a"), stream("stdout", "b"), stream("stderr", "c")]
    result = outputs_after_writing(lesson, pieces)
    assert [(x.name, x.text) for x in result] == [("stdout", "ab"), ("stderr", "c")]


def test_no_time_and_no_version_of_this_machine_gets_into_the_file(lesson):
    notebook = build.read(lesson)
    notebook.metadata.language_info = {"name": "python", "version": "3.99.1"}
    notebook_files.write(notebook, build.notebook_path(lesson))
    assert "3.99.1" not in build.notebook_path(lesson).read_text()


@pytest.mark.parametrize("lesson", lessons(), ids=lambda x: x.number)
def test_no_heading_of_a_lesson_skips_a_level(lesson):
    """Sphinx refuses such a page, and a reader who lists the headings is lost."""
    text = "\n".join(x.source for x in build.read(lesson).cells if x.cell_type == "markdown")
    levels = [len(x) for x in re.findall(r"^(#+) ", re.sub(r"(?s)```.*?```", "", text), re.M)]
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(levels)), levels
