import pytest

from ift_course.lessons.lesson_08 import experiment, figures
from ift_course.lessons.lesson_08.experiment import RECIPES, Row
from ift_course.profile import get_profile

TINY = get_profile("tiny")
PLAN = experiment.PLANS["tiny"]


def row(name: str, seed: int, special: int, others: int) -> Row:
    """A row with so many right answers of a hundred special and 180 other questions."""
    return Row(
        cell=RECIPES[name], seed=seed, special="1" * special + "0" * (100 - special),
        others="1" * others + "0" * (180 - others), prose=0.9, facts=1.0,
        said=dict.fromkeys(experiment.ASKED, name), steps=4, seconds=1.0, date="2026-01-02",
        machine="a machine", base="b",
    )  # fmt: skip


@pytest.fixture
def rows():
    """The general model, the expert and two remedies, with two seeds each; one has one seed."""
    named = {"general model": (0, 180), "expert": (90, 90), "replay 5 %": (85, 162),
             "average, 50 % expert": (40, 171)}  # fmt: skip
    made = [row(name, seed, *right) for name, right in named.items() for seed in (0, 1)]
    return [*made, row("KL, weight 3", 1, 10, 180), row("base", 0, 0, 0)]


def test_gain_and_loss_are_against_the_general_model_of_the_same_seed(rows):
    measured = figures.gains_and_losses(rows)
    assert set(measured) == {"expert", "replay 5 %", "average, 50 % expert", "KL, weight 3"}
    assert measured["expert"] == pytest.approx((0.9, 0.5))
    assert measured["replay 5 %"] == pytest.approx((0.85, 0.1))
    assert measured["KL, weight 3"] == pytest.approx((0.1, 0.0))


def test_an_interval_surrounds_its_mean_and_one_seed_has_none(rows):
    gain, kept = figures.effects(rows)["expert"]
    assert gain.interval[0] < gain.mean < gain.interval[1]
    assert kept.interval[0] < kept.mean < kept.interval[1]
    gain, _ = figures.effects(rows)["KL, weight 3"]
    assert gain.interval == (gain.mean, gain.mean)


def test_the_picture_says_its_numbers_and_draws(rows):
    sheet = figures.gain_against_loss(rows, title="Gain and loss", special="yes_no")
    assert "expert gains 0.90 and loses 0.50" in sheet.alt
    assert sheet.png(400).startswith(b"\x89PNG")


def test_families_are_counted_each_by_itself(rows):
    names = ("expert", "general model")
    sheet = figures.by_family(rows, TINY, names)
    last = experiment.other_families(PLAN)[-1]
    assert "yes_no: expert 0.90, general model 0.00" in sheet.alt
    assert f"{last}: expert 0.00, general model 1.00" in sheet.alt
    assert sheet.png(400).startswith(b"\x89PNG")


def test_the_table_leaves_out_what_was_not_measured(rows):
    lines = figures.table(rows, list(RECIPES)).splitlines()
    assert len(lines) == 7
    assert lines[3].split() == ["expert", "0.900", "0.500", "2.46", "1.000", "4"]


def test_models_can_be_browsed(rows):
    slider = figures.browse(rows, ("expert", "replay 1 %", "replay 5 %"))
    assert slider.values == ["expert", "replay 5 %"]
    assert "0.90" in slider.view("expert").html()
