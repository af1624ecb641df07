import copy
import random
from dataclasses import replace

import pytest

from ift_course.lessons.lesson_03 import experiment
from ift_course.lessons.lesson_03.config import Cell
from ift_course.profile import get_profile
from ift_course.world.facts import by_subject
from ift_course.world.tasks import FACT_TASKS, sample, verify

SMALL = replace(get_profile("tiny"), epochs=1.0)


@pytest.fixture
def load(tiny_llama):
    """A loader of fresh copies of one random model, as `run_cell` wants it."""
    return lambda: copy.deepcopy(tiny_llama)


def run(cell, load, seed=0):
    return experiment.run_cell(cell, seed, SMALL, load=load, questions=6)


def test_a_cell_gives_the_same_row_twice_and_another_with_another_seed(load):
    cell = Cell(20, 0.5, steps=3)
    first, second, other = run(cell, load), run(cell, load), run(cell, load, seed=1)
    timed = {"seconds", "date"}
    assert first.model_dump(exclude=timed) == second.model_dump(exclude=timed)
    assert first.loss != other.loss


def test_a_row_says_what_was_done(load):
    row = run(Cell(20, 0.5, ("wrong",), steps=3), load)
    assert (row.steps, len(row.items), row.seed) == (3, 6, 0)
    assert row.accuracy == sum(row.scores) / 6
    assert row.clean == 0.5
    assert set(row.said) == set(experiment.ASKED)
    assert row.seconds > 0 and row.versions["torch"]


def test_without_steps_a_cell_trains_for_the_profiles_epochs(load):
    assert run(Cell(40), load).steps == 3  # 40 examples in batches of 16, once


def test_the_grid_has_every_cell_once_and_no_cell_twice():
    assert len(set(experiment.GRID)) == len(experiment.GRID)
    assert set(experiment.GRID) == {cell for part in experiment.PARTS.values() for cell in part}
    # The lesson's live cells are cells of the grid, so that the two can be compared.
    assert {
        Cell(300, steps=experiment.STEPS), Cell(1000, steps=experiment.STEPS),
        Cell(1000, 0.6, steps=experiment.STEPS), Cell(200, 0.6, ("wrong",)),
        Cell(200, 0.6, ("mixed_up",)), Cell(1000),
    } <= set(experiment.GRID)  # fmt: skip


def test_one_seed_has_the_same_questions_in_every_cell_and_none_of_them_is_trained():
    questions = experiment.held_out(0)
    assert questions == experiment.held_out(0) != experiment.held_out(1)
    asked = {(e.task, e.entity) for e in questions}
    for cell in (Cell(3000), Cell(300, wordings=1), Cell(100, 0.5, pool=500, chosen_by="random")):
        assert not asked & {(e.task, e.entity) for e in experiment.training_set(cell, 0)}


@pytest.mark.parametrize(
    "share, kind", [(0.0, "wrong"), *((0.3, kind) for kind in experiment.KINDS)]
)
def test_exactly_the_share_is_damaged(share, kind):
    examples = experiment.training_set(Cell(100, share, (kind,)), 0)
    undamaged = experiment.training_set(Cell(100), 0)
    touched = sum(a != b for a, b in zip(examples, undamaged, strict=True))
    assert touched == round(100 * share)
    if kind not in ("rambling", "wrong_format"):  # of some answers every form is accepted
        assert sum(not verify(e, e.response) for e in examples) >= 0.9 * 100 * share


def test_tasks_and_wordings_are_limited():
    few = experiment.training_set(Cell(60, tasks=3), 0)
    assert len({e.task for e in few}) == 3
    one = experiment.training_set(Cell(60, tasks=3, wordings=1), 0)
    assert len(one) == 60 and {e.task for e in one} == {e.task for e in few}
    assert not any(e.input for e in one)
    for task in {e.task for e in one}:
        frames = {e.instruction.replace(e.entity, "…") for e in one if e.task == task}
        assert len(frames) == 1, frames
    assert len({e.task for e in experiment.training_set(Cell(58, wordings=1), 0)}) > 20


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
    pool = experiment.pool_of(Cell(10, 0.5, pool=500, chosen_by="random"), 0)
    assert len(pool) == 500
    texts = [(e.instruction, e.input, e.response) for e in pool]
    times = sorted((texts.count(text) for text in set(texts)), reverse=True)
    assert sum(times[:10]) >= 100, "a fifth of the pool are copies of ten"
    wrong = sum(not verify(e, e.response) for e in pool)
    assert 0.3 < wrong / 500 < 0.7


@pytest.mark.parametrize("way", ["random", "no duplicates", "well formed", "varied"])
def test_a_choice_is_made_of_different_records_of_the_pool(way):
    cell = Cell(20, 0.5, pool=100, chosen_by=way)
    chosen = experiment.training_set(cell, 0)
    assert len(chosen) == 20
    pool = experiment.pool_of(cell, 0)
    assert all(e in pool for e in chosen)
    assert chosen == experiment.training_set(cell, 0)


def test_choices_that_ask_the_base_model_get_it(load):
    model, tokenizer = load()
    for way in ("expected", "difficult", "curated"):
        cell = Cell(5, 0.5, pool=30, chosen_by=way)
        assert len(experiment.training_set(cell, 0, model, tokenizer)) == 5


def test_random_means_by_the_seed():
    random.seed(1)
    first = experiment.training_set(Cell(30, 0.5), 4)
    random.seed(2)
    assert first == experiment.training_set(Cell(30, 0.5), 4)
