import copy
import json
from dataclasses import replace
from statistics import fmean

import pytest

from ift_course.claims import full, grid_store
from ift_course.lessons.lesson_08 import experiment
from ift_course.lessons.lesson_08.experiment import ModelZoo
from ift_course.lessons.lesson_08.recipes import RECIPES, SIZES, ForgettingSizes, Recipe
from ift_course.profile import PROFILES, get_profile
from ift_course.world.tasks import verify

SMALL = ForgettingSizes(
    general_steps=8, steps=4, epochs=1, special_questions=3, per_family=1, tokens=4
)
TINY = replace(get_profile("tiny"), batch_size=4, seeds=(0, 1))


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
    experiment._zoo.cache_clear()
    return tmp_path / "tiny" / "grids" / "08.json"


def same(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all((a == b).all() for a, b in pairs)


KINDS = ("expert", "replay 25 %", "LoRA", "average, 50 % expert", "expert for format")


@pytest.mark.slow
def test_every_remedy_takes_the_same_steps_and_gives_a_model_of_its_own(small):
    zoo = ModelZoo(TINY, 0)
    base, general = copy.deepcopy(zoo.base.model), copy.deepcopy(zoo.general.model)
    trained = {name: zoo.get(RECIPES[name]) for name in KINDS}
    for i, model in enumerate(trained.values()):
        for other in list(trained.values())[:i]:
            assert not same(model.model, other.model)
    assert same(base, zoo.base.model) and same(general, zoo.general.model)
    assert {model.steps for model in trained.values()} == {SMALL.steps}


@pytest.mark.slow
def test_the_same_seed_makes_the_same_model_and_an_average_is_not_trained_again(small):
    first, second = ModelZoo(TINY, 0), ModelZoo(TINY, 0)
    expert = first.get(RECIPES["expert"])
    assert same(expert.model, second.get(RECIPES["expert"]).model)
    assert first.get(RECIPES["average, 50 % expert"]).seconds == expert.seconds
    assert not same(expert.model, ModelZoo(TINY, 1).get(RECIPES["expert"]).model)


def test_the_general_model_never_meets_the_special_family():
    sizes = SIZES["tiny"]
    assert sizes.special in sizes.untaught
    assert not set(sizes.untaught) & set(experiment.other_families(sizes))
    special, earlier = experiment.training_records(get_profile("tiny"), RECIPES["expert"], 0)
    assert len(special) * sizes.epochs == sizes.steps * 16
    assert len(earlier) * sizes.epochs == sizes.general_steps * 16
    assert not {x.source for x in special} & {x.source for x in earlier}


def test_the_exam_has_equally_many_questions_of_every_family_and_none_was_trained():
    sizes = SIZES["tiny"]
    exam = experiment.make_exam(sizes, 0)
    families = [example.family for example in exam.others]
    assert {families.count(family) for family in families} == {sizes.per_family}
    assert {example.family for example in exam.special} == {sizes.special}
    assert len(families) == sizes.per_family * len(experiment.other_families(sizes))
    special, earlier = experiment.training_records(get_profile("tiny"), RECIPES["expert"], 0)
    prompts = {record.messages[0]["content"] for record in (*special, *earlier)}
    assert not [x for x in exam.others if not x.input and x.instruction in prompts]
    other = experiment.make_exam(sizes, 0, "writing")
    assert other.others == exam.others and {x.family for x in other.special} == {"writing"}


@pytest.mark.slow
def test_a_result_records_the_training_and_is_stored(small):
    recipes = [RECIPES["general model"], RECIPES["expert"]]
    results = full("08", configs=recipes, seeds=(0, 1), jobs=1)
    assert [(x.config, x.seed) for x in results] == [(r, s) for r in recipes for s in (0, 1)]
    assert [x.steps for x in results] == [SMALL.general_steps] * 2 + [SMALL.steps] * 2
    assert {(len(x.special), len(x.others)) for x in results} == {(3, 12)}
    assert results[2].accuracy("others") == sum(results[2].items("others")) / 12
    stored = grid_store.read(TINY, "08", experiment.ForgettingResult)
    assert experiment.arm(stored, recipes[1]) == results[2:]
    assert len(json.loads(small.read_text())) == 4


def test_a_constant_answer_is_right_as_often_as_its_answer_occurs():
    exam = experiment.make_exam(SIZES["tiny"], 0)
    shares = [
        fmean(verify(example, answer) for example in exam.special) for answer in ("Yes", "No")
    ]
    assert exam.constant_share == pytest.approx(max(shares))
    assert sum(shares) == pytest.approx(1)


@pytest.mark.slow
def test_what_was_measured_live_is_completed_by_stored_runs_and_one_of_each_other_recipe(
    small, monkeypatch
):
    zoo = ModelZoo(TINY, 0)
    recipes = tuple(RECIPES[name] for name in ("base", "general model", "expert"))
    full("08", configs=recipes[1:2], seeds=(0, 1, 2), jobs=1)
    live = [experiment.evaluate(zoo, recipes[1])]
    monkeypatch.setattr(experiment, "GRID", recipes)
    results = experiment.with_stored(live, zoo)
    assert {(x.config, x.seed) for x in results} == {
        (recipes[0], 0), (recipes[1], 0), (recipes[1], 1), (recipes[2], 0)
    }  # fmt: skip
    assert any(result is live[0] for result in results), "the live one replaces the stored one"
    assert len(grid_store.read(TINY, "08", experiment.ForgettingResult)) == 3, "nothing is added"


def test_a_recipe_is_named_once():
    assert len(set(RECIPES.values())) == len(RECIPES)
    assert Recipe() == RECIPES["expert"]
