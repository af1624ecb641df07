from statistics import fmean

import pytest

from ift_course.lessons.lesson_08 import experiment, figures
from ift_course.lessons.lesson_08.experiment import ForgettingResult
from ift_course.lessons.lesson_08.recipes import RECIPES, SIZES
from ift_course.profile import get_profile

TINY = get_profile("tiny")


def make_result(name: str, seed: int, special: int, others: int) -> ForgettingResult:
    """A result with these numbers of right answers to 100 special and 180 other questions."""
    return ForgettingResult(
        config=RECIPES[name], seed=seed,
        special="1" * special + "0" * (100 - special),
        others="1" * others + "0" * (180 - others), facts=1.0,
        answers=dict.fromkeys(experiment.SAMPLE_PROMPTS, name), steps=4,
        seconds=1.0, date="2026-01-02",
        machine="a machine", base="b",
    )  # fmt: skip


@pytest.fixture
def results():
    """The general model, the expert and two remedies, with two seeds each; one has one seed."""
    scores = {"general model": (0, 180), "expert": (90, 90), "replay 5 %": (85, 162),
             "average, 50 % expert": (40, 171)}  # fmt: skip
    results = [make_result(name, seed, *right) for name, right in scores.items() for seed in (0, 1)]
    return [*results, make_result("LoRA", 1, 10, 180), make_result("base", 0, 0, 0)]


def test_gain_and_loss_are_against_the_general_model_of_the_same_seed(results):
    measured = figures.gains_and_losses(results)
    assert set(measured) == {"expert", "replay 5 %", "average, 50 % expert", "LoRA"}
    assert measured["expert"] == pytest.approx((0.9, 0.5))
    assert measured["replay 5 %"] == pytest.approx((0.85, 0.1))
    assert measured["LoRA"] == pytest.approx((0.1, 0.0))


def test_an_interval_surrounds_its_mean_and_one_seed_has_none(results):
    gain, change = figures.effects(results)["expert"]
    assert gain.interval[0] < gain.mean < gain.interval[1]
    assert change.interval[0] < change.mean < change.interval[1]
    gain, _ = figures.effects(results)["LoRA"]
    assert gain.interval == (gain.mean, gain.mean)


def test_the_figure_names_its_numbers_and_draws(results):
    fig = figures.gain_against_loss(results, TINY)
    assert "expert gains 0.90 and loses 0.50" in fig.alt
    constant = fmean(experiment.make_exam(SIZES["tiny"], seed).constant_share for seed in (0, 1))
    assert f"a constant answer would gain {constant:.2f}" in fig.alt
    assert fig.png(400).startswith(b"\x89PNG")


def test_families_are_counted_each_by_itself(results):
    names = ("expert", "general model")
    fig = figures.by_family(results, TINY, names)
    last = experiment.other_families(SIZES["tiny"])[-1]
    assert "yes_no: expert 0.90, general model 0.00" in fig.alt
    assert f"{last}: expert 0.00, general model 1.00" in fig.alt
    assert fig.png(400).startswith(b"\x89PNG")


def test_the_table_leaves_out_unmeasured_recipes(results):
    lines = figures.table(results, list(RECIPES)).splitlines()
    assert len(lines) == 7
    assert lines[3].split() == ["expert", "0.900", "0.500", "1.000", "4"]
