"""Exercises are written once; everything else is generated from the source."""

from pathlib import Path

import nbformat
import pytest

from ift_course.errors import CourseError
from ift_course.exercises import generate, source

SOURCE = '''\
# %% [markdown]
# # Exercises 77: a toy
#
# {{ badge }}

# %%
import math

# %% [markdown]
# ## 77.1 Twice
#
# Why it matters.


# %%
def twice(x: float) -> float:
    """Twice x."""
    ### BEGIN SOLUTION
    y = 2
    return y * x
    ### END SOLUTION


# %%
ift.check(twice)

# %% [markdown] tags=["hint"]
# Multiply.

# %% [markdown]
# ## 77.2 Half
'''


@pytest.fixture
def toy(tmp_path) -> Path:
    folder = tmp_path / "solutions"
    folder.mkdir()
    path = folder / "77_toy.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", source.sources(), ids=lambda x: x.stem)
def test_what_is_on_disk_is_what_would_be_generated(path):
    assert generate.differs(path, path.parent.parent) == []


@pytest.mark.parametrize("path", source.sources(), ids=lambda x: x.stem)
def test_a_source_is_read_for_hints_as_jupytext_reads_it(path):
    cells = [(x.cell_type == "markdown", source.is_hint(x), x.source) for x in source.cells(path)]
    pieces = source.pieces(path.read_text(encoding="utf-8"))
    assert [(x.markdown, x.hint, x.text) for x in pieces] == cells


def test_the_stub_has_no_solution_and_the_solution_no_marks(toy):
    exercise, solution = (generate.notebook(toy, kind) for kind in generate.KINDS)
    stub = next(x.source for x in exercise.cells if "def twice" in x.source)
    assert "y = 2" not in stub and "SOLUTION" not in stub
    assert 'raise NotImplementedError("Write your code' in stub and '"""Twice x."""' in stub
    solved = next(x.source for x in solution.cells if "def twice" in x.source)
    assert solved.endswith("    y = 2\n    return y * x") and "SOLUTION" not in solved


def test_no_exercise_notebook_shows_a_solution_or_a_hint():
    for path in source.sources():
        text = "\n".join(x.source for x in generate.notebook(path, "exercises").cells)
        assert "SOLUTION" not in text
        for exercise in source.read_exercises(path):
            body = exercise.solution.split('"""')[2].strip()
            assert body not in text
            assert not any(hint in text for hint in exercise.hints)


def test_a_notebook_is_valid_and_built_twice_it_is_the_same(toy, tmp_path):
    built = generate.build(toy, tmp_path)
    assert [x.parent.name for x in built] == ["exercises", "solutions"]
    for path in built:
        nbformat.validate(nbformat.read(path, as_version=4))
    assert generate.build(toy, tmp_path) == []


def test_cells_are_called_the_same_when_another_exercise_comes(toy):
    def names() -> list[str]:
        return [x.metadata.ift.id for x in generate.notebook(toy, "exercises").cells]

    before = names()
    assert before == ["top/text", "top/code", "77.1/card", "77.1/stub", "77.1/check", "77.2/card"]
    toy.write_text(
        SOURCE.replace("# ## 77.1 Twice", "# ## 77.0 New\n\n# %% [markdown]\n# ## 77.1 X")
    )
    assert set(before) < set(names())


def test_somebodys_work_is_not_overwritten(toy, tmp_path):
    exercise, _ = generate.build(toy, tmp_path)
    notebook = nbformat.read(exercise, as_version=4)
    notebook.cells[3].source = "def twice(x):\n    return x + x"
    nbformat.write(notebook, exercise)
    before = exercise.read_bytes()
    with pytest.raises(CourseError, match="contains work"):
        generate.build(toy, tmp_path)
    assert exercise.read_bytes() == before


def test_an_added_cell_is_work_too_but_an_empty_one_is_not(toy, tmp_path):
    exercise, _ = generate.build(toy, tmp_path)
    notebook = nbformat.read(exercise, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(""))
    nbformat.write(notebook, exercise)
    generate.refuse_to_overwrite(exercise)
    notebook.cells.append(nbformat.v4.new_code_cell("mine = 1"))
    nbformat.write(notebook, exercise)
    with pytest.raises(CourseError):
        generate.refuse_to_overwrite(exercise)


def test_a_broken_source_is_one_sentence(toy):
    toy.write_text("# %%\ndef broken(:\n")
    with pytest.raises(CourseError, match=r"77_toy\.py, line 2"):
        generate.notebook(toy, "exercises")
