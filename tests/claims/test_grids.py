"""Grids are computed piece by piece; each result is stored, and a damaged file is reported."""

import json
import subprocess
import sys

import psutil
import pytest

from ift_course.claims import full, grid_store, grids
from ift_course.errors import CourseError
from ift_course.lessons.lesson_03 import experiment
from ift_course.lessons.lesson_03.config import LimaConfig
from ift_course.profile import get_profile

TINY = get_profile("tiny")
CONFIGS = (LimaConfig(30), LimaConfig(100), LimaConfig(100, 0.6))


@pytest.fixture
def computed(a_result, monkeypatch, tmp_path):
    """The (config, seed) pairs that `run_config` was called with; nothing is really trained."""
    calls = []

    def run_config(config, seed, profile):
        calls.append((config, seed))
        return a_result(config, seed)

    monkeypatch.setattr(experiment, "run_config", run_config)
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(grid_store, "evidence_root", lambda: tmp_path / "no clone" / "results")
    return calls


def stored_file(tmp_path):
    return tmp_path / "tiny" / "grids" / "03.json"


def test_every_result_is_computed_once_and_read_back(computed, tmp_path):
    results = full("03", configs=CONFIGS, jobs=1)
    assert [(result.config, result.seed) for result in results] == [
        (c, s) for c in CONFIGS for s in (0, 1, 2)
    ]
    assert full("03", configs=CONFIGS, jobs=1) == results
    assert len(computed) == 9, "nothing is computed again"
    assert sorted(grid_store.read(TINY, "03", experiment.LimaResult), key=str) == sorted(
        results, key=str
    )


def test_a_killed_run_resumes(computed, tmp_path):
    def stop_after_four(completed, total, result):
        if completed == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        full("03", configs=CONFIGS, jobs=1, on_progress=stop_after_four)
    assert len(grid_store.read(TINY, "03", experiment.LimaResult)) == 4
    seen = []
    full("03", configs=CONFIGS, jobs=1, on_progress=lambda n, total, _: seen.append((n, total)))
    assert len(computed) == 9
    assert seen == [(n, 9) for n in range(4, 10)]


def test_progress_is_shown_while_something_is_computed_and_otherwise_nothing(computed, capsys):
    full("03", configs=CONFIGS, jobs=1)
    assert "grid of lesson 03: 9 of 9" in capsys.readouterr().err
    full("03", configs=CONFIGS, jobs=1)
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


def test_a_lesson_shows_its_first_seed_until_every_run_is_stored(
    computed, a_result, monkeypatch, capsys
):
    monkeypatch.setattr(experiment, "GRID", CONFIGS)
    monkeypatch.setattr(grids, "_n_workers", lambda jobs, n_missing: 1)
    full("03", configs=CONFIGS[:1], jobs=1)
    computed.clear()
    live = a_result(CONFIGS[1], 0)
    results = grids.stored_or_first_seed("03", seeds=(0, 1, 2), live=[live])
    assert computed == [(CONFIGS[2], 0)], "neither what is stored nor what was measured live"
    assert [(x.config, x.seed) for x in results] == [(config, 0) for config in CONFIGS]
    assert results[1] is live
    assert "you see seed 0 alone" in capsys.readouterr().out
    everything = full("03", configs=CONFIGS, jobs=1)
    computed.clear()
    assert grids.stored_or_first_seed("03", seeds=(0, 1, 2), live=[live]) == everything
    assert computed == []
    assert capsys.readouterr().out == ""


def test_more_seeds_add_only_what_is_missing(computed):
    full("03", configs=CONFIGS[:1], jobs=1)
    full("03", configs=CONFIGS[:1], seeds=range(5), jobs=1)
    assert [seed for _, seed in computed] == [0, 1, 2, 3, 4]


def test_results_of_another_base_are_computed_again(computed, a_result, tmp_path):
    grid_store.add(TINY, "03", a_result(CONFIGS[0], 0, base="other weights"))
    assert grid_store.read(TINY, "03", experiment.LimaResult) == []
    full("03", configs=CONFIGS[:1], jobs=1)
    assert len(computed) == 3
    assert "other weights" not in stored_file(tmp_path).read_text()


def test_the_file_does_not_depend_on_the_order_of_computing(computed, tmp_path):
    full("03", configs=CONFIGS, jobs=1)
    first = stored_file(tmp_path).read_bytes()
    stored_file(tmp_path).unlink()
    full("03", configs=CONFIGS[::-1], jobs=1)
    assert stored_file(tmp_path).read_bytes() == first


def test_what_came_with_the_course_is_read_until_there_is_an_own_result(
    computed, tmp_path, monkeypatch
):
    full("03", configs=CONFIGS[:1], jobs=1)
    published = tmp_path / "clone" / "results" / "tiny" / "grids" / "03.json"
    published.parent.mkdir(parents=True)
    stored_file(tmp_path).rename(published)
    assert grid_store.read(TINY, "03", experiment.LimaResult) == []
    monkeypatch.setattr(grid_store, "evidence_root", lambda: tmp_path / "clone" / "results")
    assert len(grid_store.read(TINY, "03", experiment.LimaResult)) == 3
    full("03", configs=CONFIGS[:2], jobs=1)
    assert len(grid_store.read(TINY, "03", experiment.LimaResult)) == 6, (
        "own results are added to the published ones"
    )
    assert len(json.loads(published.read_text())) == 3, "and those stay as they are"


def without(name):
    return lambda rows: [{k: v for k, v in row.items() if k != name} for row in rows]


@pytest.mark.parametrize(
    "broken", [lambda rows: {"rows": rows}, without("items"), lambda rows: [*rows, 7]]
)
def test_a_damaged_file_is_one_sentence_with_the_file_and_the_remedy(computed, tmp_path, broken):
    full("03", configs=CONFIGS[:1], jobs=1)
    path = stored_file(tmp_path)
    path.write_text(json.dumps(broken(json.loads(path.read_text()))))
    with pytest.raises(CourseError, match="damaged") as error:
        full("03", configs=CONFIGS[:1], jobs=1)
    assert str(path) in str(error.value) and "delete it" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_cut_in_half_is_reported_too(computed, tmp_path):
    full("03", configs=CONFIGS[:1], jobs=1)
    path = stored_file(tmp_path)
    path.write_text(path.read_text()[:200])
    with pytest.raises(CourseError, match="damaged"):
        grid_store.read(TINY, "03", experiment.LimaResult)


def test_a_lesson_without_a_grid_is_reported():
    with pytest.raises(CourseError, match="Lesson 01 has no grid"):
        full("01")


@pytest.mark.weekly
def test_two_workers_compute_what_one_does(tmp_path, monkeypatch):
    configs = (LimaConfig(16, steps=1), LimaConfig(16, 0.5, steps=1))
    tables = []
    for jobs in (1, 2):
        monkeypatch.setenv("IFT_RESULTS", str(tmp_path / str(jobs)))
        results = full("03", configs=configs, seeds=(0,), jobs=jobs)
        tables.append(
            [(result.config, result.items, result.clean, result.steps) for result in results]
        )
    assert tables[0] == tables[1]


def test_seeds_default_to_three():
    assert grids.SEEDS == (0, 1, 2)
