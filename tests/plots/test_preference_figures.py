"""The figures of lesson 05 describe themselves in words."""

from ift_course.plots.preference_figures import (
    Slider,
    calibration,
    dpo_curves,
    overoptimization,
    stages,
)
from ift_course.plots.transcript import TranscriptRow, transcript

PNG = b"\x89PNG"


def test_stages_name_every_measure_and_stage():
    fig = stages(
        {"sycophancy": {"SFT": [[1.0, 1.0], [1.0, 0.0], [1.0, 1.0]], "DPO": [0.0, 0.1, 0.0]}},
        title="All",
    )
    assert "sycophancy: SFT 0.83, DPO 0.03" in fig.alt
    assert fig.png(400).startswith(PNG)


def test_curves_of_dpo_describe_their_ends():
    history = [
        {"rewards/chosen": 0.0, "rewards/rejected": 0.0, "rewards/margins": 0.0,
         "logps/chosen": -9.0, "logps/rejected": -8.0},
        {"rewards/chosen": -0.5, "rewards/rejected": -2.0, "rewards/margins": 1.5,
         "logps/chosen": -14.0, "logps/rejected": -28.0},
    ]  # fmt: skip
    fig = dpo_curves(history, title="DPO")
    assert "logps/chosen from -9.00 to -14.00" in fig.alt
    assert fig.png(400).startswith(PNG)


def test_calibration_compares_predictions_with_outcomes():
    fig = calibration([0.1] * 10 + [0.9] * 10, [False] * 9 + [True] * 11, bins=2)
    assert "0.10 predicted and 0.10 observed, 0.90 predicted and 1.00 observed" in fig.alt
    assert fig.png(400).startswith(PNG)


def test_overoptimization_draws_the_rewarded_and_the_intended_measure():
    points = [
        {"kl": 0.0, "flawed": 0.5, "verified": 0.5},
        {"kl": 3.0, "flawed": 1.5, "verified": 0},
    ]
    fig = overoptimization({"flawed": [points]}, names={"flawed": "paid", "verified": "right"})
    assert "paid from 0.50 to 1.50, right from 0.50 to 0.00" in fig.alt
    assert fig.png(400).startswith(PNG)


def test_the_slider_shows_one_value_and_without_a_kernel_all():
    def view(value):
        return transcript([TranscriptRow("prompt", {f"b = {value}": "a reply"})])

    slider = Slider(
        "b", [0.1, 0.3, 1.0], view, transcript([TranscriptRow("prompt", {"all": "a reply"})])
    )
    menu, table = slider.widget.children
    assert "b = 0.3" in table.value
    menu.value = 1.0
    assert "b = 1.0" in table.value
    assert slider.static.models == ["all"]
