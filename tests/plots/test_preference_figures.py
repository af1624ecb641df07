"""The pictures of lesson 05 say in words what they draw."""

from ift_course.plots.preference_figures import (
    Slider,
    calibration,
    dpo_curves,
    overoptimization,
    stages,
)
from ift_course.plots.transcript import Row, transcript

PNG = b"\x89PNG"


def test_stages_name_every_measure_and_stage():
    drawn = stages(
        {"sycophancy": {"SFT": [[1.0, 1.0], [1.0, 0.0], [1.0, 1.0]], "DPO": [0.0, 0.1, 0.0]}},
        title="All",
    )
    assert "sycophancy: SFT 0.83, DPO 0.03" in drawn.alt
    assert drawn.png(400).startswith(PNG)


def test_curves_of_dpo_say_where_they_begin_and_end():
    history = [
        {"rewards/chosen": 0.0, "rewards/rejected": 0.0, "rewards/margins": 0.0,
         "logps/chosen": -9.0, "logps/rejected": -8.0},
        {"rewards/chosen": -0.5, "rewards/rejected": -2.0, "rewards/margins": 1.5,
         "logps/chosen": -14.0, "logps/rejected": -28.0},
    ]  # fmt: skip
    drawn = dpo_curves(history, title="DPO")
    assert "logps/chosen from -9.00 to -14.00" in drawn.alt
    assert drawn.png(400).startswith(PNG)


def test_calibration_compares_belief_with_what_was_so():
    drawn = calibration([0.1] * 10 + [0.9] * 10, [False] * 9 + [True] * 11, bins=2)
    assert "0.10 believed and 0.10 so, 0.90 believed and 1.00 so" in drawn.alt
    assert drawn.png(400).startswith(PNG)


def test_overoptimization_draws_what_was_rewarded_and_what_was_wanted():
    points = [
        {"kl": 0.0, "flawed": 0.5, "verified": 0.5},
        {"kl": 3.0, "flawed": 1.5, "verified": 0},
    ]
    drawn = overoptimization({"flawed": [points]}, names={"flawed": "paid", "verified": "right"})
    assert "paid from 0.50 to 1.50, right from 0.50 to 0.00" in drawn.alt
    assert drawn.png(400).startswith(PNG)


def test_the_slider_shows_one_value_and_without_a_kernel_all():
    def view(value):
        return transcript([Row("prompt", {f"b = {value}": "said"})])

    slider = Slider("b", [0.1, 0.3, 1.0], view, transcript([Row("prompt", {"all": "said"})]))
    menu, shown = slider.widget.children
    assert "b = 0.3" in shown.value
    menu.value = 1.0
    assert "b = 1.0" in shown.value
    assert slider.static.models == ["all"]
