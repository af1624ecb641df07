"""Lesson 09's pools, its ways of choosing, and its figures."""

import copy
from dataclasses import replace

import pytest

from ift_course.lessons.lesson_03.config import LimaConfig
from ift_course.lessons.lesson_09 import experiment, figures
from ift_course.lessons.lesson_09.config import CurationConfig, CurationResult
from ift_course.profile import get_profile
from ift_course.world.tasks import verify

SMALL = replace(get_profile("tiny"), epochs=1.0)


@pytest.fixture
def load(tiny_llama):
    """A loader of fresh copies of one random model, as `run_config` takes it."""
    return lambda: copy.deepcopy(tiny_llama)


def test_a_config_gives_the_same_result_twice(load):
    config = CurationConfig("random", selected=20, pool=60, steps=3)
    first, second = (
        experiment.run_config(config, 0, SMALL, load=load, questions=6) for _ in range(2)
    )
    timed = {"seconds", "date"}
    assert first.model_dump(exclude=timed) == second.model_dump(exclude=timed)
    assert (first.steps, len(first.items), first.config) == (3, 6, config)


def test_the_grid_has_every_method_once_and_all_that_is_claimed():
    assert len(set(experiment.GRID)) == len(experiment.GRID)
    assert set(experiment.CLAIMED) <= set(experiment.SELECTIONS)


def test_a_pool_has_its_copies_and_its_flaws():
    pool = experiment.make_pool(CurationConfig("random", pool=500), 0)
    assert len(pool) == 500
    texts = [(e.instruction, e.input, e.response) for e in pool]
    times = sorted((texts.count(text) for text in set(texts)), reverse=True)
    assert sum(times[:10]) >= 100, "a fifth of the pool are copies of ten"
    wrong = sum(not verify(e, e.response) for e in pool)
    assert 0.3 < wrong / 500 < 0.7


def test_the_judged_pool_is_the_pool_of_every_configuration():
    records, flawed = experiment.judged_pool(1)
    assert len(records) == len(flawed) == 1000 and 300 < sum(flawed) < 700
    for config in experiment.GRID:
        assert [e.response for e in experiment.make_pool(config, 1)][:20] == [
            record.turns[-1].content for record in records[:20]
        ]


@pytest.mark.parametrize("method", ["random", "no duplicates", "well formed", "varied"])
def test_a_selection_consists_of_records_of_the_pool(method):
    config = CurationConfig(method, selected=20, pool=100)
    chosen = experiment.training_set(config, 0)
    assert len(chosen) == 20
    pool = experiment.make_pool(config, 0)
    assert all(e in pool for e in chosen)
    assert chosen == experiment.training_set(config, 0)


def test_methods_that_score_with_the_base_model_get_it(load):
    model, tokenizer = load()
    for method in ("expected", "difficult", "curated"):
        config = CurationConfig(method, selected=5, pool=30)
        assert len(experiment.training_set(config, 0, model, tokenizer)) == 5


def test_controls_know_which_responses_are_right(load):
    model, tokenizer = load()

    def share_right(method):
        config = CurationConfig(method, selected=10, pool=60)
        chosen = experiment.training_set(config, 0, model, tokenizer)
        assert len(chosen) == 10
        return sum(verify(e, e.response) for e in chosen) / 10

    assert share_right("right") == share_right("difficult and right") == 1
    assert share_right("as wrong as difficult") == share_right("difficult")


def test_the_figure_of_the_methods_names_the_best_and_the_worst_that_are_no_controls(a_result):
    def result(method, items, seed=0):
        values = a_result(LimaConfig(30), seed, items=items).model_dump() | {
            "config": experiment.SELECTIONS[method]
        }
        return CurationResult(**values)

    results = [
        result("curated", "1110"),
        result("random", "1100"),
        result("difficult", "0000"),
        result("right", "1111"),
    ]
    assert list(figures.by_method(results)) == ["random", "difficult", "curated", "right"]
    alt = figures.methods(results).alt
    assert "“curated” reaches 0.75, “difficult” 0.00; a random choice reaches 0.50" in alt
    assert "control: right" in alt


def test_the_figure_of_the_bandings_has_its_counts():
    counts = {(32, 4): 2, (16, 8): 1}
    alt = figures.banding({(32, 4): 18, (16, 8): 17}, counts, [0.93, 0.5]).alt
    assert "32 bands of 4: 18 compared, 2 of 2 found" in alt
    assert "16 bands of 8: 17 compared, 1 of 2 found" in alt
    assert "similarities of the near copies: 0.50, 0.93" in alt


def test_the_threshold_explorer_shows_the_pairs_on_both_sides_of_it():
    similarity = {(0, 1): 0.9, (0, 2): 0.5, (1, 2): 0.1}
    explorer = figures.explore_threshold(similarity, ["an owl", "<b>an owl", "two owls"])
    above, below = explorer.view(0.45).split("The next three")
    assert "<b>2</b> of 3 pairs" in above and "0.90" in above and "0.50" in above
    assert "0.10" in below and "&lt;b&gt;an owl" in below
    assert "from 0.20 to 0.50 keeps the same 2 of 3" in explorer.static.alt
