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
    claimed = {LimaConfig(300), LimaConfig(1000), LimaConfig(1000, 0.6)}
    assert claimed <= set(experiment.GRID)


def test_one_seed_has_the_same_questions_for_every_config_and_none_of_them_is_trained():
    questions = experiment.held_out(0)
    assert questions == experiment.held_out(0) != experiment.held_out(1)
    tested = {(e.task, e.entity) for e in questions}
    trained = experiment.training_set(LimaConfig(1000), 0)
    assert not tested & {(e.task, e.entity) for e in trained}


@pytest.mark.parametrize("share", experiment.SHARES)
def test_exactly_the_share_is_damaged(share):
    examples = experiment.training_set(LimaConfig(100, share), 0)
    undamaged = experiment.training_set(LimaConfig(100), 0)
    touched = sum(a != b for a, b in zip(examples, undamaged, strict=True))
    assert touched == round(100 * share)
    assert sum(not verify(e, e.response) for e in examples) >= 0.9 * 100 * share


def test_the_good_ones_alone_are_those_that_were_not_damaged():
    mixed = experiment.training_set(LimaConfig(100, 0.6), 0)
    undamaged = experiment.training_set(LimaConfig(100), 0)
    good = experiment.training_set(LimaConfig(100, 0.6, good_only=True), 0)
    assert good == [a for a, b in zip(mixed, undamaged, strict=True) if a == b]
    assert len(good) == 40 and all(verify(e, e.response) for e in good)


def test_random_means_by_the_seed():
    random.seed(1)
    first = experiment.training_set(LimaConfig(30, 0.5), 4)
    random.seed(2)
    assert first == experiment.training_set(LimaConfig(30, 0.5), 4)


def test_the_base_completes_what_it_was_shown(load):
    model, tokenizer = load()
    questions = experiment.held_out(0, 5)
    assert experiment.base_completes(model, tokenizer, questions) == [0.0] * 5  # random weights
