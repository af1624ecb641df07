"""A lesson's results: stored seeds, the first one measured where it is missing or asked for."""

import pytest

from ift_course.claims import grid_runs, grid_store
from ift_course.claims.grid_runs import GridRuns
from ift_course.lessons.lesson_03.config import LimaConfig, LimaResult
from ift_course.profile import get_profile

TINY = get_profile("tiny")
STORED, MISSING = LimaConfig(30), LimaConfig(100)


@pytest.fixture
def runs(a_result, monkeypatch):
    results = [a_result(STORED, seed) for seed in (0, 1, 2)]
    monkeypatch.setattr(grid_store, "read", lambda *_: results)
    monkeypatch.setattr(grid_runs, "grid_store", grid_store)
    return GridRuns("03", TINY, LimaResult, lambda config, seed, _: a_result(config, seed, steps=9))


def test_stored_seeds_are_read_and_nothing_is_measured(runs):
    assert [x.seed for x in runs.of(STORED)] == [0, 1, 2]
    assert [x.seed for x in runs.of(STORED, seeds=(0, 2))] == [0, 2]
    assert runs.live == []


def test_the_first_seed_is_measured_where_it_is_missing_or_asked_for(runs):
    assert [(x.seed, x.steps) for x in runs.of(MISSING)] == [(0, 9)]
    assert [(x.seed, x.steps) for x in runs.of(STORED, now=True)] == [(0, 9), (1, 3), (2, 3)]
    assert [x.config for x in runs.live] == [MISSING, STORED]
    assert runs.best_known == [*runs.stored, runs.live[0]]


def test_a_claim_needs_the_same_and_enough_seeds(runs, capsys):
    complete, single = runs.of(STORED), runs.of(MISSING)
    assert runs.decide(complete, complete) and not capsys.readouterr().out
    assert not runs.decide(complete, single) and not runs.decide(single)
    assert "`ift run 03 --full`" in capsys.readouterr().out
