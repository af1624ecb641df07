import copy
import json
from dataclasses import replace

import pytest

from ift_course.errors import CourseError
from ift_course.experiments import forgetting
from ift_course.experiments.forgetting import RECIPES, Maker, Plan, Recipe
from ift_course.profile import PROFILES, get_profile

SMALL = Plan(
    general_steps=8, steps=4, epochs=1, special_questions=3, per_family=1, prose=3, tokens=4
)
TINY = replace(get_profile("tiny"), batch_size=4, seeds=(0, 1))


@pytest.fixture
def small(tiny_llama, monkeypatch, tmp_path):
    """The experiment on a random model, a few rows, and a results folder of its own."""
    monkeypatch.setitem(forgetting.PLANS, "tiny", SMALL)
    monkeypatch.setitem(PROFILES, "tiny", TINY)
    monkeypatch.setattr("ift_course.models.load.load", lambda *a, **k: copy.deepcopy(tiny_llama))
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(forgetting, "shipped", lambda: tmp_path / "no clone")
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
    plan = forgetting.PLANS["tiny"]
    assert plan.special in plan.untaught
    assert not set(plan.untaught) & set(forgetting.other_families(plan))
    special, earlier = forgetting.rows_of(get_profile("tiny"), RECIPES["expert"], 0)
    assert len(special) * plan.epochs == plan.steps * 16
    assert len(earlier) * plan.epochs == plan.general_steps * 16
    assert not {row.source for row in special} & {row.source for row in earlier}


def test_the_exam_asks_every_family_equally_often_about_what_no_row_mentions():
    plan = forgetting.PLANS["tiny"]
    paper = forgetting.exam(plan, 0)
    families = [example.family for example in paper.others]
    assert {families.count(family) for family in families} == {plan.per_family}
    assert {example.family for example in paper.special} == {plan.special}
    assert len(families) == plan.per_family * len(forgetting.other_families(plan))
    special, earlier = forgetting.rows_of(get_profile("tiny"), RECIPES["all mixed"], 0)
    asked = {row.messages[0]["content"] for row in (*special, *earlier)}
    told = [x for x in paper.others if not x.input and x.instruction in asked]
    assert not told
    other = forgetting.exam(plan, 0, "writing")
    assert other.others == paper.others and {x.family for x in other.special} == {"writing"}


FEW = [RECIPES["general model"], RECIPES["expert"]]


def test_what_is_stored_is_not_computed_again(small, monkeypatch):
    seen = []
    rows = forgetting.compute(FEW, on_progress=lambda done, total, row: seen.append((done, total)))
    assert [(row.recipe, row.seed) for row in rows] == [(x, s) for s in (0, 1) for x in FEW]
    assert seen == [(n, 4) for n in range(5)]
    assert len(rows[0].others) == 12 and len(rows[0].special) == 3
    monkeypatch.setattr(forgetting, "Maker", None)
    assert forgetting.compute(FEW) == rows
    assert forgetting.arm(forgetting.read(TINY), FEW[1]) == [rows[1], rows[3]]


def test_a_stopped_computation_keeps_what_it_has(small):
    def stop(done, total, row):
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forgetting.compute(FEW, on_progress=stop)
    assert len(json.loads(small.read_text())) == 1


def test_rows_of_another_base_are_left_out(small):
    forgetting.compute(FEW[:1], seeds=[0])
    small.write_text(small.read_text().replace('"base": "', '"base": "other '))
    assert forgetting.read(TINY) == []


def test_a_damaged_store_is_said_with_the_remedy(small):
    forgetting.compute(FEW[:1], seeds=[0])
    small.write_text(small.read_text()[:99])
    with pytest.raises(CourseError, match="is damaged; delete it and run"):
        forgetting.read(TINY)


def test_a_recipe_is_named_once():
    assert len(set(RECIPES.values())) == len(RECIPES)
    assert Recipe() == RECIPES["expert"]
