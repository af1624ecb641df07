"""The figures of lessons 05 and 11 describe themselves in words."""

from ift_course.plots.preference_figures import curves_by_panel, stages

PNG = b"\x89PNG"


def test_stages_name_every_measure_and_stage():
    fig = stages(
        {"sycophancy": {"SFT": [[1.0, 1.0], [1.0, 0.0], [1.0, 1.0]], "DPO": [0.0, 0.1, 0.0]}},
        title="All",
    )
    assert "sycophancy: SFT 0.83, DPO 0.03" in fig.alt
    assert fig.png(400).startswith(PNG)


def test_curves_say_where_every_measure_begins_and_ends():
    points = [
        {"step": 0, "flawed": 0.5, "verified": 0.5},
        {"step": 8, "flawed": 1.5, "verified": 0},
    ]
    fig = curves_by_panel({"flawed": [points]}, names={"flawed": "paid", "verified": "right"})
    assert "paid from 0.50 to 1.50, right from 0.50 to 0.00" in fig.alt
    assert fig.png(400).startswith(PNG)
