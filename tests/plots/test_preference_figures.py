"""The figures of lesson 05 describe themselves in words."""

from ift_course.plots.preference_figures import (
    Slider,
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
