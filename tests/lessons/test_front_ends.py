"""Other programs can open the notebooks, and run them with a profile."""

import re

import nbformat
import pytest

from ift_course.authoring import build
from ift_course.exercises import notebook_files
from ift_course.lessons.discover import Lesson
from ift_course.paths import checkout

FOLDERS = ("notebooks", "exercises", "solutions")
COMMITTED = sorted(path for name in FOLDERS for path in (checkout() / name).glob("*.ipynb"))
SOURCE = """\
# %% [markdown]
# # A lesson

# %%
import ift_course as ift

profile = ift.setup("01")

# %%
print("chosen:", profile.name)
"""


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_notebook_is_valid_and_its_cells_have_ids_that_stay(path):
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[\w-]{1,64}", name) for name in ids)
    assert "widgets" not in notebook.metadata, "a state without its kernel shows empty boxes"
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.fixture
def toy(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path / "results"))
    monkeypatch.delenv("IFT_PROFILE", raising=False)
    source = tmp_path / "01_toy.py"
    source.write_text(SOURCE, encoding="utf-8")
    lesson = Lesson("01", "01_toy", source)
    notebook_files.write(build.read(lesson), build.notebook_path(lesson))
    return build.notebook_path(lesson)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameters", "profile"), [({"profile": "smollm2"}, "smollm2"), ({}, "tiny")]
)
def test_papermill_runs_a_lesson_with_a_profile(toy, tmp_path, parameters, profile):
    papermill = pytest.importorskip("papermill")
    notebook_after = papermill.execute_notebook(
        toy, tmp_path / "out.ipynb", parameters, kernel_name="python3", progress_bar=False
    )
    assert f"chosen: {profile}\n" in notebook_after.cells[-1].outputs[0].text
