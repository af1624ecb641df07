import copy
import random
from dataclasses import replace

import pytest

from ift_course.lessons.lesson_03 import experiment
from ift_course.lessons.lesson_03.config import LimaConfig
from ift_course.profile import get_profile
from ift_course.world.tasks import verify

SMALL = replace(get_profile("tiny"), epochs=1.0)


@pytest.fixture
def load(tiny_llama):
    """A loader of fresh copies of one random model, as `run_config` takes it."""
    return lambda: copy.deepcopy(tiny_llama)


def run(config, load, seed=0):
    return experiment.run_config(config, seed, SMALL, load=load, questions=6)


def test_a_config_gives_the_same_result_twice_and_another_with_another_seed(load):
    config = LimaConfig(20, 0.5, steps=3)
    first, second, other = run(config, load), run(config, load), run(config, load, seed=1)
    timed = {"seconds", "date"}
    assert first.model_dump(exclude=timed) == second.model_dump(exclude=timed)
    assert first.loss != other.loss


def test_a_result_records_what_was_done(load):
    result = run(LimaConfig(20, 0.5, steps=3), load)
    assert (result.steps, len(result.items), result.seed) == (3, 6, 0)
    assert result.accuracy == sum(result.scores) / 6
    assert result.clean == 0.5
    assert set(result.answers) == set(experiment.SAMPLE_PROMPTS)
    assert result.seconds > 0 and result.versions["torch"]


def test_the_grid_has_every_config_once_and_none_twice():
    assert len(set(experiment.GRID)) == len(experiment.GRID)
    # What the lesson claims is in the grid, so that all seeds are stored.
    assert {
        LimaConfig(300), LimaConfig(1000), LimaConfig(1000, 0.6),
        experiment.SELECTIONS["random"], experiment.SELECTIONS["curated"],
    } <= set(experiment.GRID)  # fmt: skip


def test_one_seed_has_the_same_questions_for_every_config_and_none_of_them_is_trained():
    questions = experiment.held_out(0)
    assert questions == experiment.held_out(0) != experiment.held_out(1)
    tested = {(e.task, e.entity) for e in questions}
    for config in (
        LimaConfig(1000),
        LimaConfig(100, 0.5, pool=500, chosen_by="random"),
    ):
        assert not tested & {(e.task, e.entity) for e in experiment.training_set(config, 0)}


@pytest.mark.parametrize("share", experiment.SHARES)
def test_exactly_the_share_is_damaged(share):
    examples = experiment.training_set(LimaConfig(100, share), 0)
    undamaged = experiment.training_set(LimaConfig(100), 0)
    touched = sum(a != b for a, b in zip(examples, undamaged, strict=True))
    assert touched == round(100 * share)
    assert sum(not verify(e, e.response) for e in examples) >= 0.9 * 100 * share


def test_a_pool_has_its_copies_and_its_flaws():
    pool = experiment.make_pool(LimaConfig(10, 0.5, pool=500, chosen_by="random"), 0)
    assert len(pool) == 500
    texts = [(e.instruction, e.input, e.response) for e in pool]
    times = sorted((texts.count(text) for text in set(texts)), reverse=True)
    assert sum(times[:10]) >= 100, "a fifth of the pool are copies of ten"
    wrong = sum(not verify(e, e.response) for e in pool)
    assert 0.3 < wrong / 500 < 0.7


@pytest.mark.parametrize("method", ["random", "no duplicates", "well formed", "varied"])
def test_a_selection_consists_of_records_of_the_pool(method):
    config = LimaConfig(20, 0.5, pool=100, chosen_by=method)
    chosen = experiment.training_set(config, 0)
    assert len(chosen) == 20
    pool = experiment.make_pool(config, 0)
    assert all(e in pool for e in chosen)
    assert chosen == experiment.training_set(config, 0)


def test_methods_that_score_with_the_base_model_get_it(load):
    model, tokenizer = load()
    for method in ("expected", "difficult", "curated"):
        config = LimaConfig(5, 0.5, pool=30, chosen_by=method)
        assert len(experiment.training_set(config, 0, model, tokenizer)) == 5


def test_random_means_by_the_seed():
    random.seed(1)
    first = experiment.training_set(LimaConfig(30, 0.5), 4)
    random.seed(2)
    assert first == experiment.training_set(LimaConfig(30, 0.5), 4)
