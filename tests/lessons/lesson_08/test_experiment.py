import copy
import json
from dataclasses import replace
from statistics import fmean

import pytest

from ift_course.claims import full, grid_store
from ift_course.lessons.lesson_08 import experiment
from ift_course.lessons.lesson_08.experiment import ModelZoo
from ift_course.lessons.lesson_08.recipes import (
    GRID,
    METHODS,
    RECIPES,
    SIZES,
    SPECIALTIES,
    ForgettingSizes,
    Recipe,
)
from ift_course.lessons.lesson_08.routing import DESKS, ROUTING, desk, draw
from ift_course.profile import PROFILES, get_profile
from ift_course.world.tasks import sample, verify

SMALL = ForgettingSizes(
    general_steps=8, steps=4, epochs=1, special_questions=3, development_questions=2,
    per_family=1, tokens=4, looks=(1, 3),
)  # fmt: skip
TINY = replace(get_profile("tiny"), batch_size=4, seeds=(0, 1))
EXPERT = Recipe("yes_no")


@pytest.fixture
def small(tiny_llama, monkeypatch, tmp_path):
    """The experiment on a random model, a few records, and a results folder of its own."""
    monkeypatch.setitem(SIZES, "tiny", SMALL)
    monkeypatch.setitem(PROFILES, "tiny", TINY)
    monkeypatch.setattr(
        "ift_course.training.open_model.load", lambda *a, **k: copy.deepcopy(tiny_llama)
    )
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(grid_store, "evidence_root", lambda: tmp_path / "no clone" / "results")
    monkeypatch.setattr(experiment, "own_answers", lambda model, tokenizer, records, n: records)
    experiment._zoo.cache_clear()
    return tmp_path / "tiny" / "grids" / "08.json"


def same(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all((a == b).all() for a, b in pairs)


@pytest.mark.slow
def test_every_remedy_takes_the_same_steps_and_gives_a_model_of_its_own(small):
    zoo = ModelZoo(TINY, 0)
    base, general = copy.deepcopy(zoo.base.model), copy.deepcopy(zoo.general.model)
    trained = [zoo.get(replace(recipe, family="yes_no")) for recipe in METHODS.values()]
    trained.append(zoo.get(Recipe("format")))
    for i, model in enumerate(trained):
        assert not any(same(model.model, other.model) for other in trained[:i])
    assert same(base, zoo.base.model) and same(general, zoo.general.model)
    assert {model.steps for model in trained} == {SMALL.steps}


@pytest.mark.slow
def test_the_same_seed_makes_the_same_model_and_an_average_is_not_trained_again(small):
    first, second = ModelZoo(TINY, 0), ModelZoo(TINY, 0)
    expert = first.get(EXPERT)
    assert same(expert.model, second.get(EXPERT).model)
    assert first.get(replace(EXPERT, tuned=0.5)).seconds == expert.seconds
    assert not same(expert.model, ModelZoo(TINY, 1).get(EXPERT).model)


@pytest.mark.slow
def test_both_scores_are_taken_during_the_training_and_do_not_change_it(small, monkeypatch):
    watched = ModelZoo(TINY, 0).get(EXPERT)
    assert [step for step, _, _ in watched.track] == list(SMALL.looks)
    monkeypatch.setitem(SIZES, "tiny", replace(SMALL, looks=()))
    assert same(watched.model, ModelZoo(TINY, 0).get(EXPERT).model)


def test_the_general_model_never_meets_a_specialty():
    sizes = SIZES["tiny"]
    assert not set(SPECIALTIES) & set(experiment.other_families())
    special, earlier = experiment.training_records(get_profile("tiny"), "yes_no", 0)
    assert len(special) * sizes.epochs == sizes.steps * 16
    assert len(earlier) * sizes.epochs == sizes.general_steps * 16
    assert not {x.source for x in special} & {x.source for x in earlier}


def test_the_exam_has_equally_many_questions_of_every_family_and_none_was_trained():
    sizes = SIZES["tiny"]
    exam = experiment.make_exam(sizes, 0, "yes_no")
    families = [example.family for example in exam.others]
    assert {families.count(family) for family in families} == {sizes.per_family}
    assert {example.family for example in exam.special} == {"yes_no"}
    assert len(families) == sizes.per_family * len(experiment.other_families())
    special, earlier = experiment.training_records(get_profile("tiny"), "yes_no", 0)
    prompts = {record.messages[0]["content"] for record in (*special, *earlier)}
    assert not [x for x in exam.others if not x.input and x.instruction in prompts]
    other = experiment.make_exam(sizes, 0, "writing")
    assert other.others == exam.others and {x.family for x in other.special} == {"writing"}
    assert experiment.make_exam(sizes, 0, "").special == []


@pytest.mark.parametrize("family", SPECIALTIES)
def test_no_question_of_the_exam_chooses_a_learning_rate(family):
    sizes = SIZES["tiny"]
    exam = {(x.instruction, x.input) for x in experiment.make_exam(sizes, 0, family).special}
    chosen = experiment.development_questions(sizes, 0, family)
    assert len(chosen) == sizes.development_questions
    assert not exam & {(x.instruction, x.input) for x in chosen}


@pytest.mark.slow
def test_a_result_records_the_training_and_is_stored(small):
    recipes = [RECIPES["general model"], EXPERT]
    results = full("08", configs=recipes, seeds=(0, 1), jobs=1)
    assert [(x.config, x.seed) for x in results] == [(r, s) for r in recipes for s in (0, 1)]
    general, expert = results[0], results[2]
    n_others = len(experiment.other_families())
    assert (general.special, general.development, general.before) == ("", "", "")
    assert (len(expert.special), len(expert.development), len(expert.before)) == (3, 2, 3)
    assert {len(x.others) for x in results} == {n_others}
    assert (general.steps, expert.steps) == (SMALL.general_steps, SMALL.steps)
    assert expert.accuracy("others") == sum(expert.items("others")) / n_others
    assert grid_store.read(TINY, "08", experiment.ForgettingResult)
    assert len(json.loads(small.read_text())) == 4


def test_a_constant_answer_is_right_as_often_as_its_answer_occurs():
    exam = experiment.make_exam(SIZES["tiny"], 0, "yes_no")
    shares = [
        fmean(verify(example, answer) for example in exam.special) for answer in ("Yes", "No")
    ]
    assert exam.constant_share == pytest.approx(max(shares))
    assert sum(shares) == pytest.approx(1)


def test_a_recipe_is_named_once():
    assert len(set(GRID)) == len(GRID)
    assert GRID[:2] == tuple(RECIPES.values())


def test_a_routed_question_is_one_of_the_other_families_and_its_answer_is_the_desk():
    families = experiment.other_families()
    for split in ("train", "test"):
        examples = draw(ROUTING, 60, seed=0, families=families, split=split)
        assert {x.response for x in examples} == set(DESKS)
        assert all(verify(x, x.response) and not verify(x, x.input) for x in examples)
        assert examples == draw(ROUTING, 60, seed=0, families=families, split=split)
        held_out = sample(60, seed=1000, families=families, split=split)
        assert [x.entity for x in examples] == [x.entity for x in held_out]
        assert [x.response for x in examples] == [desk(x.family) for x in held_out]
