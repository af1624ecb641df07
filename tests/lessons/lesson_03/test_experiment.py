import copy
import random
from dataclasses import replace

import pytest

from ift_course.lessons.lesson_03 import experiment
from ift_course.lessons.lesson_03.config import LimaConfig
from ift_course.profile import get_profile
from ift_course.world.facts import by_subject
from ift_course.world.tasks import FACT_TASKS, sample, verify

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
    result = run(LimaConfig(20, 0.5, ("wrong",), steps=3), load)
    assert (result.steps, len(result.items), result.seed) == (3, 6, 0)
    assert result.accuracy == sum(result.scores) / 6
    assert result.clean == 0.5
    assert set(result.answers) == set(experiment.SAMPLE_PROMPTS)
    assert result.seconds > 0 and result.versions["torch"]


def test_without_steps_a_config_trains_for_the_profiles_epochs(load):
    assert run(LimaConfig(40), load).steps == 3  # 40 examples in batches of 16, once


def test_the_grid_has_every_config_once_and_none_twice():
    assert len(set(experiment.GRID)) == len(experiment.GRID)
    assert set(experiment.GRID) == {config for part in experiment.PARTS.values() for config in part}
    # What the lesson runs live is in the grid, so that the two can be compared.
    assert {
        LimaConfig(300, steps=experiment.STEPS), LimaConfig(1000, steps=experiment.STEPS),
        LimaConfig(1000, 0.6, steps=experiment.STEPS), LimaConfig(200, 0.6, ("wrong",)),
        LimaConfig(200, 0.6, ("mixed_up",)), LimaConfig(1000),
    } <= set(experiment.GRID)  # fmt: skip


def test_one_seed_has_the_same_questions_for_every_config_and_none_of_them_is_trained():
    questions = experiment.held_out(0)
    assert questions == experiment.held_out(0) != experiment.held_out(1)
    tested = {(e.task, e.entity) for e in questions}
    for config in (
        LimaConfig(3000),
        LimaConfig(300, wordings=1),
        LimaConfig(100, 0.5, pool=500, chosen_by="random"),
    ):
        assert not tested & {(e.task, e.entity) for e in experiment.training_set(config, 0)}


@pytest.mark.parametrize(
    "share, kind", [(0.0, "wrong"), *((0.3, kind) for kind in experiment.KINDS)]
)
def test_exactly_the_share_is_damaged(share, kind):
    examples = experiment.training_set(LimaConfig(100, share, (kind,)), 0)
    undamaged = experiment.training_set(LimaConfig(100), 0)
    touched = sum(a != b for a, b in zip(examples, undamaged, strict=True))
    assert touched == round(100 * share)
    if kind not in ("rambling", "wrong_format"):  # of some answers every form is accepted
        assert sum(not verify(e, e.response) for e in examples) >= 0.9 * 100 * share


def test_tasks_and_wordings_are_limited():
    limited = experiment.training_set(LimaConfig(60, tasks=3), 0)
    assert len({e.task for e in limited}) == 3
    one = experiment.training_set(LimaConfig(60, tasks=3, wordings=1), 0)
    assert len(one) == 60 and {e.task for e in one} == {e.task for e in limited}
    assert not any(e.input for e in one)
    for task in {e.task for e in one}:
        frames = {e.instruction.replace(e.entity, "…") for e in one if e.task == task}
        assert len(frames) == 1, frames
    assert len({e.task for e in experiment.training_set(LimaConfig(58, wordings=1), 0)}) > 20


def test_mixed_up_answers_are_wrong_by_a_rule():
    good = sample(200, seed=3, tasks=FACT_TASKS)
    bad = experiment.mixed_up(good, 1.0, seed=0)
    assert not any(verify(e, e.response) for e in bad if e.response != e.entity)
    for example in bad:
        known = {fact.value for facts in by_subject().values() for fact in facts
                 if fact.subject == example.entity}  # fmt: skip
        assert example.response in known | {example.entity}
    # The same question always gets the same wrong answer.
    answers = {}
    for example in bad:
        key = (example.task, example.entity)
        assert answers.setdefault(key, example.response) == example.response


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
