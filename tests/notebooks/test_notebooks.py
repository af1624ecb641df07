"""Every lesson runs from its first cell to its last, offline, in silence, and its claims hold."""

import json
import os
from base64 import b64decode
from io import BytesIO

import pytest
from PIL import Image

from ift_course import settings
from ift_course.authoring import build
from ift_course.authoring.execute import execute
from ift_course.authoring.run_lessons import kernel_env
from ift_course.hardware import threads
from ift_course.lessons import timings
from ift_course.lessons.discover import START, lessons
from ift_course.paths import project_root, shipped
from ift_course.plots.figure import PNG_WIDTH
from ift_course.profile import get_profile

MOST_SECONDS = 180
LESSONS = lessons()
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=[x.name for x in LESSONS])
SECONDS = {x.lesson: x.seconds for x in timings.read_timings("tiny", published=True).values()}
# The longest ones first, so that two workers finish at about the same time.
LONGEST_FIRST = sorted(LESSONS, key=lambda x: -SECONDS.get(x.number, MOST_SECONDS))
MOST_KB = 700


def test_lessons_are_numbered_without_gaps_from_the_start_or_from_01():
    first = int(LESSONS[0].number)
    assert first in (int(START), 1)
    assert [int(x.number) for x in LESSONS] == list(range(first, first + len(LESSONS)))


@pytest.mark.lessons
@pytest.mark.parametrize("lesson", LONGEST_FIRST, ids=[x.name for x in LONGEST_FIRST])
def test_the_lesson_runs_in_silence_and_its_claims_hold(lesson, tmp_path):
    side_by_side = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    cores = max(1, threads() // side_by_side)
    env = kernel_env(get_profile("tiny"), cores) | {settings.RESULTS: str(tmp_path)}
    execution = execute(build.read(lesson), env=env, cwd=project_root())
    assert execution.error is None
    for cell in execution.notebook.cells:
        assert_clean(cell)
    stored = tmp_path / "tiny" / "claims.json"
    claims = json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else []
    assert {x["lesson"] for x in claims} == ({lesson.number} - {START})
    assert [x["id"] for x in claims if not x["holds"]] == []
    computed = sorted(x.name for x in (tmp_path / "tiny").glob("grids/*.json"))
    assert computed == [], "not stored: run the lesson and commit results/tiny/grids"


@each_lesson
def test_the_committed_notebook_is_its_source_executed(lesson):
    assert build.difference(lesson) is None
    committed = json.loads(build.notebook_path(lesson).read_text(encoding="utf-8"))
    code = [x for x in committed["cells"] if x["cell_type"] == "code"]
    assert [x["execution_count"] for x in code] == list(range(1, len(code) + 1))
    for cell in code:
        assert_clean(cell)


@each_lesson
def test_the_lesson_took_at_most_three_minutes_when_it_was_published(lesson):
    assert (shipped() / "results" / "tiny" / "lessons.json").exists()
    assert timings.read_timings("tiny", published=True)[lesson.number].seconds <= MOST_SECONDS


@each_lesson
def test_no_text_stands_behind_a_cell_marker(lesson):
    markers = [x for x in lesson.source.read_text().splitlines() if x.startswith("# %%")]
    assert set(markers) <= {"# %%", "# %% [markdown]"}  # other text would not be shown


@each_lesson
def test_the_committed_notebook_is_small(lesson):
    """Every rebuild adds its size to the repository, and GitHub does not render large files."""
    assert build.notebook_path(lesson).stat().st_size <= 1000 * MOST_KB


@each_lesson
def test_its_pictures_are_as_wide_as_the_plots_draw_them_and_have_a_palette(lesson):
    committed = json.loads(build.notebook_path(lesson).read_text(encoding="utf-8"))
    for cell in committed["cells"]:
        for output in cell.get("outputs", []):
            png = output.get("data", {}).get("image/png")
            if png:
                image = Image.open(BytesIO(b64decode("".join(png))))
                assert (image.width, image.mode) == (PNG_WIDTH, "P")


def assert_clean(cell):
    """No error, nothing on stderr, no warning among what was printed."""
    for output in cell.get("outputs", []):
        assert output["output_type"] != "error", cell["source"]
        assert output.get("name") != "stderr", output
        text = "".join(output.get("text", ""))
        assert "Warning" not in text, text
