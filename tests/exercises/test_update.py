"""An update adds the new cells and removes none of the learner's work."""

from pathlib import Path

import nbformat
import pytest

from ift_course.errors import CourseError
from ift_course.exercises.update import NOTE, update
from tests.exercises.test_generate import SOURCE, toy  # noqa: F401 (a fixture)

MINE = "def twice(x):\n    return x + x  # mine"


@pytest.fixture
def notebook(toy, tmp_path) -> Path:  # noqa: F811
    """The learner's notebook: one function written, one cell added, one output."""
    path = tmp_path / "home" / "77_toy.ipynb"
    assert update(toy, path) == ["new"]
    mine = nbformat.read(path, as_version=4)
    mine.cells[3].source = MINE
    mine.cells.insert(4, nbformat.v4.new_code_cell("twice(3)"))
    mine.cells[1].outputs = [nbformat.v4.new_output("stream", text="kept\n")]
    nbformat.write(mine, path)
    return path


def sources(path: Path) -> list[str]:
    return [x.source for x in nbformat.read(path, as_version=4).cells]


def test_nothing_new_changes_nothing(toy, notebook):  # noqa: F811
    before = notebook.read_bytes()
    assert update(toy, notebook) == []
    assert notebook.read_bytes() == before


def test_cells_left_alone_are_renewed_and_outputs_stay(toy, notebook):  # noqa: F811
    toy.write_text(SOURCE.replace("Why it matters.", "Why it matters more."))
    assert update(toy, notebook) == ["77.1/card is updated"]
    updated = nbformat.read(notebook, as_version=4)
    assert "matters more" in updated.cells[2].source
    assert updated.cells[3].source == MINE and updated.cells[4].source == "twice(3)"
    assert updated.cells[1].outputs[0].text == "kept\n"


def test_a_new_version_is_put_before_the_learners_and_only_once(toy, notebook):  # noqa: F811
    toy.write_text(SOURCE.replace('"""Twice x."""', '"""Two times x."""'))
    assert update(toy, notebook) == ["77.1/stub has a new version, put before yours"]
    after = sources(notebook)
    place = after.index(MINE)
    assert "Two times x" in after[place - 1] and after[place - 2] == NOTE
    assert update(toy, notebook) == []
    assert sources(notebook) == after


def test_a_new_exercise_comes_at_its_place(toy, notebook):  # noqa: F811
    fresh = "# %% [markdown]\n# ## 77.3 Between\n\n# %%\nift.check(between)\n\n"
    toy.write_text(
        SOURCE.replace("# %% [markdown]\n# ## 77.2", f"{fresh}# %% [markdown]\n# ## 77.2")
    )
    assert update(toy, notebook) == ["77.3/card is new", "77.3/check is new"]
    assert [x[:10] for x in sources(notebook)][-3:] == ["## 77.3 Be", "ift.check(", "## 77.2 Ha"]
    assert MINE in sources(notebook)


def test_what_is_dropped_from_the_course_goes_only_if_it_was_left_alone(toy, notebook):  # noqa: F811
    first, last = (
        SOURCE.index("# %% [markdown]\n# ## 77.1"),
        SOURCE.index("# %% [markdown]\n# ## 77.2"),
    )
    toy.write_text(SOURCE[:first] + SOURCE[last:])
    update(toy, notebook)
    assert MINE in sources(notebook) and "twice(3)" in sources(notebook)
    assert not any("Why it matters" in x for x in sources(notebook))


def test_a_broken_notebook_is_left_as_it_is(toy, notebook):  # noqa: F811
    notebook.write_text('{"cells": [')
    with pytest.raises(CourseError, match="no longer a notebook"):
        update(toy, notebook)
    assert notebook.read_text() == '{"cells": ['


def test_a_notebook_without_cell_ids_is_merged(toy, notebook):  # noqa: F811
    old = nbformat.read(notebook, as_version=4)
    old.nbformat_minor = 4
    for cell in old.cells:
        cell.pop("id", None)
    nbformat.write(old, notebook)
    toy.write_text(SOURCE.replace("Why it matters.", "Because."))
    assert update(toy, notebook) == ["77.1/card is updated"]
    nbformat.validate(nbformat.read(notebook, as_version=4))
