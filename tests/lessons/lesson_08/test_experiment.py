import copy
import json
from dataclasses import replace

import pytest

from ift_course.claims import full, grid_store
from ift_course.lessons.lesson_08 import experiment
from ift_course.lessons.lesson_08.experiment import RECIPES, Maker, Plan, Recipe
from ift_course.profile import PROFILES, get_profile

SMALL = Plan(
    general_steps=8, steps=4, epochs=1, special_questions=3, per_family=1, prose=3, tokens=4
)
TINY = replace(get_profile("tiny"), batch_size=4, seeds=(0, 1))


@pytest.fixture
def small(tiny_llama, monkeypatch, tmp_path):
    """The experiment on a random model, a few rows, and a results folder of its own."""
    monkeypatch.setitem(experiment.PLANS, "tiny", SMALL)
    monkeypatch.setitem(PROFILES, "tiny", TINY)
    monkeypatch.setattr(
        "ift_course.training.open_model.load", lambda *a, **k: copy.deepcopy(tiny_llama)
    )
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(grid_store, "evidence_root", lambda: tmp_path / "no clone" / "results")
    experiment._maker.cache_clear()
    return tmp_path / "tiny" / "grids" / "08.json"


def same(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all((a == b).all() for a, b in pairs)


KINDS = (
    "expert", "all mixed", "replay 25 %", "LoRA, rank 2", "rate ÷ 16", "KL, weight 3",
    "average, 50 % expert", "expert for writing",
)  # fmt: skip


def test_every_remedy_takes_the_same_steps_and_gives_a_model_of_its_own(small):
    make = Maker(TINY, 0)
    base, general = copy.deepcopy(make.base.model), copy.deepcopy(make.general.model)
    made = {name: make(RECIPES[name]) for name in KINDS}
    for i, model in enumerate(made.values()):
        for other in list(made.values())[:i]:
            assert not same(model.model, other.model)
    assert same(base, make.base.model) and same(general, make.general.model)
    assert made.pop("all mixed").steps == SMALL.general_steps + SMALL.steps
    assert {model.steps for model in made.values()} == {SMALL.steps}


def test_the_same_seed_makes_the_same_model_and_an_average_is_not_trained_again(small):
    first, second = Maker(TINY, 0), Maker(TINY, 0)
    expert = first(RECIPES["expert"])
    assert same(expert.model, second(RECIPES["expert"]).model)
    assert first(RECIPES["average, 50 % expert"]).seconds == expert.seconds
    assert not same(expert.model, Maker(TINY, 1)(RECIPES["expert"]).model)


def test_the_general_model_never_meets_the_special_family():
    plan = experiment.PLANS["tiny"]
    assert plan.special in plan.untaught
    assert not set(plan.untaught) & set(experiment.other_families(plan))
    special, earlier = experiment.rows_of(get_profile("tiny"), RECIPES["expert"], 0)
    assert len(special) * plan.epochs == plan.steps * 16
    assert len(earlier) * plan.epochs == plan.general_steps * 16
    assert not {row.source for row in special} & {row.source for row in earlier}


def test_the_exam_asks_every_family_equally_often_about_what_no_row_mentions():
    plan = experiment.PLANS["tiny"]
    paper = experiment.exam(plan, 0)
    families = [example.family for example in paper.others]
    assert {families.count(family) for family in families} == {plan.per_family}
    assert {example.family for example in paper.special} == {plan.special}
    assert len(families) == plan.per_family * len(experiment.other_families(plan))
    special, earlier = experiment.rows_of(get_profile("tiny"), RECIPES["all mixed"], 0)
    asked = {row.messages[0]["content"] for row in (*special, *earlier)}
    told = [x for x in paper.others if not x.input and x.instruction in asked]
    assert not told
    other = experiment.exam(plan, 0, "writing")
    assert other.others == paper.others and {x.family for x in other.special} == {"writing"}


def test_a_row_says_what_was_made_and_is_kept(small):
    cells = [RECIPES["general model"], RECIPES["expert"]]
    rows = full("08", cells=cells, seeds=(0, 1), jobs=1)
    assert [(row.cell, row.seed) for row in rows] == [(x, s) for x in cells for s in (0, 1)]
    assert [row.steps for row in rows] == [SMALL.general_steps] * 2 + [SMALL.steps] * 2
    assert {(len(row.special), len(row.others)) for row in rows} == {(3, 12)}
    assert rows[2].accuracy("others") == sum(rows[2].items("others")) / 12
    kept = grid_store.read(TINY, "08", experiment.Row)
    assert experiment.arm(kept, cells[1]) == rows[2:]
    assert len(json.loads(small.read_text())) == 4


def test_adapters_are_held_to_the_reference_as_well(small):
    make = Maker(TINY, 0)
    assert not same(make(Recipe(rank=2)).model, make(Recipe(kl=3.0, rank=2)).model)


def test_a_recipe_is_named_once():
    assert len(set(RECIPES.values())) == len(RECIPES)
    assert Recipe() == RECIPES["expert"]
