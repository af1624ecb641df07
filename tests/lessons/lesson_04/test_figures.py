"""Lesson 04's figures describe themselves, and the title of the sweep comes from its numbers."""

from ift_course.lessons.lesson_04 import figures

RATES = (1e-3, 1e-2)
RIGHT, WRONG = [[1.0, 1.0], [1.0, 1.0]], [[0.0, 1.0], [0.0, 0.0]]


def test_the_best_rate_has_the_highest_mean_over_the_seeds():
    assert figures.best_rate(RATES, [WRONG, RIGHT]) == 1e-2
    assert figures.best_rate(RATES, [RIGHT, WRONG]) == 1e-3


def test_the_sweep_names_the_best_rate_of_each_arm():
    arms = {"full": [RIGHT, WRONG], "LoRA": [WRONG, RIGHT], "r=1": [WRONG, RIGHT]}
    figure = figures.rate_sweep(RATES, arms, n_examples=5)
    title = "With 5 examples, this grid's highest point is 0.001 for full, and 0.01 for LoRA, r=1"
    assert title in figure.alt
    assert "LoRA: 0.25 at 0.001, 1.00 at 0.01" in figure.alt
    assert figure.png(200).startswith(b"\x89PNG")


def test_the_data_flow_says_where_gradients_go():
    figure = figures.data_flow()
    assert "The 4-bit weights get no gradient." in figure.alt
    assert figure.png(200).startswith(b"\x89PNG")
