"""Grids are computed piece by piece; what is done is kept, and what is broken is said."""

import json
import subprocess
import sys

import psutil
import pytest

from ift_course.claims import full, grid_store, grids
from ift_course.errors import CourseError
from ift_course.lessons.lesson_03 import experiment
from ift_course.lessons.lesson_03.config import Cell
from ift_course.profile import get_profile

TINY = get_profile("tiny")
CELLS = (Cell(30), Cell(100), Cell(100, 0.6))


@pytest.fixture
def computed(a_row, monkeypatch, tmp_path):
    """The (cell, seed) pairs that `run_cell` was asked for; nothing is really trained."""
    asked = []

    def run_cell(cell, seed, profile):
        asked.append((cell, seed))
        return a_row(cell, seed)

    monkeypatch.setattr(experiment, "run_cell", run_cell)
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(grid_store, "evidence_root", lambda: tmp_path / "no clone" / "results")
    return asked


def stored_file(tmp_path):
    return tmp_path / "tiny" / "grids" / "03.json"


def test_everything_wanted_is_computed_once_and_read_back(computed, tmp_path):
    rows = full("03", cells=CELLS, jobs=1)
    assert [(row.cell, row.seed) for row in rows] == [(c, s) for c in CELLS for s in (0, 1, 2)]
    assert full("03", cells=CELLS, jobs=1) == rows
    assert len(computed) == 9, "nothing is computed again"
    assert sorted(grid_store.read(TINY, "03", experiment.Row), key=str) == sorted(rows, key=str)


def test_a_killed_run_goes_on_where_it_was(computed, tmp_path):
    def stop_after_four(done, total, row):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        full("03", cells=CELLS, jobs=1, on_progress=stop_after_four)
    assert len(grid_store.read(TINY, "03", experiment.Row)) == 4
    seen = []
    full("03", cells=CELLS, jobs=1, on_progress=lambda done, total, row: seen.append((done, total)))
    assert len(computed) == 9
    assert seen == [(n, 9) for n in range(4, 10)]


def test_whoever_waits_is_told_how_far_it_is_and_whoever_does_not_is_told_nothing(computed, capsys):
    full("03", cells=CELLS, jobs=1)
    assert "grid of lesson 03: 9 of 9" in capsys.readouterr().err
    full("03", cells=CELLS, jobs=1)
    assert capsys.readouterr() == ("", "")


A_POOL = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from ift_course.claims import grids

if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, get_context("spawn"), grids._follow_parent)
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 600).result()
"""


def test_workers_end_with_a_run_that_is_killed_from_outside(tmp_path):
    (tmp_path / "pool.py").write_text(A_POOL)
    run = subprocess.Popen([sys.executable, tmp_path / "pool.py"], stdout=subprocess.PIPE)
    worker = psutil.Process(int(run.stdout.readline()))
    run.kill()
    run.wait()
    worker.wait(timeout=30)


def test_more_seeds_add_only_what_is_missing(computed):
    full("03", cells=CELLS[:1], jobs=1)
    full("03", cells=CELLS[:1], seeds=range(5), jobs=1)
    assert [seed for _, seed in computed] == [0, 1, 2, 3, 4]


def test_rows_of_another_base_are_computed_again(computed, a_row, tmp_path):
    grid_store.add(TINY, "03", a_row(CELLS[0], 0, base="other weights"))
    assert grid_store.read(TINY, "03", experiment.Row) == []
    full("03", cells=CELLS[:1], jobs=1)
    assert len(computed) == 3
    assert "other weights" not in stored_file(tmp_path).read_text()


def test_the_file_does_not_depend_on_the_order_of_computing(computed, tmp_path):
    full("03", cells=CELLS, jobs=1)
    first = stored_file(tmp_path).read_bytes()
    stored_file(tmp_path).unlink()
    full("03", cells=CELLS[::-1], jobs=1)
    assert stored_file(tmp_path).read_bytes() == first


def test_what_came_with_the_course_is_read_until_there_is_an_own_result(
    computed, tmp_path, monkeypatch
):
    full("03", cells=CELLS[:1], jobs=1)
    published = tmp_path / "clone" / "results" / "tiny" / "grids" / "03.json"
    published.parent.mkdir(parents=True)
    stored_file(tmp_path).rename(published)
    assert grid_store.read(TINY, "03", experiment.Row) == []
    monkeypatch.setattr(grid_store, "evidence_root", lambda: tmp_path / "clone" / "results")
    assert len(grid_store.read(TINY, "03", experiment.Row)) == 3
    full("03", cells=CELLS[:2], jobs=1)
    assert len(grid_store.read(TINY, "03", experiment.Row)) == 6, (
        "own rows are put to the published ones"
    )
    assert len(json.loads(published.read_text())) == 3, "and those stay as they are"


def without(name):
    return lambda rows: [{k: v for k, v in row.items() if k != name} for row in rows]


@pytest.mark.parametrize(
    "broken", [lambda rows: {"rows": rows}, without("items"), lambda rows: [*rows, 7]]
)
def test_a_damaged_store_is_one_sentence_with_the_file_and_the_remedy(computed, tmp_path, broken):
    full("03", cells=CELLS[:1], jobs=1)
    path = stored_file(tmp_path)
    path.write_text(json.dumps(broken(json.loads(path.read_text()))))
    with pytest.raises(CourseError, match="damaged") as error:
        full("03", cells=CELLS[:1], jobs=1)
    assert str(path) in str(error.value) and "delete it" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_store_cut_in_half_is_said_too(computed, tmp_path):
    full("03", cells=CELLS[:1], jobs=1)
    path = stored_file(tmp_path)
    path.write_text(path.read_text()[:200])
    with pytest.raises(CourseError, match="damaged"):
        grid_store.read(TINY, "03", experiment.Row)


def test_a_lesson_without_a_grid_is_said():
    with pytest.raises(CourseError, match="Lesson 01 has no grid"):
        full("01")


@pytest.mark.weekly
def test_two_workers_compute_what_one_does(tmp_path, monkeypatch):
    cells = (Cell(16, steps=1), Cell(16, 0.5, steps=1))
    tables = []
    for jobs in (1, 2):
        monkeypatch.setenv("IFT_RESULTS", str(tmp_path / str(jobs)))
        rows = full("03", cells=cells, seeds=(0,), jobs=jobs)
        tables.append([(row.cell, row.items, row.clean, row.steps) for row in rows])
    assert tables[0] == tables[1]


def test_seeds_default_to_three():
    assert grids.SEEDS == (0, 1, 2)
