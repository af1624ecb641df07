"""Lesson 04's helpers: paired differences."""

import ift_course as ift
from ift_course.lessons.lesson_04 import experiment

ALL, HALF = [[1.0] * 40] * 3, [[1.0, 0.0] * 20] * 3


def test_a_difference_in_points_is_paired():
    assert experiment.points(HALF, HALF).startswith("+0.0 points (")
    assert experiment.points(ALL, HALF).startswith("+50.0 points (+")
    assert experiment.points(HALF[:1], ALL[:1]).startswith("-50.0 points (-")


def test_activations_are_a_part_of_the_predicted_memory():
    base, tokenizer = ift.load("base")
    batch = next(experiment.batches(tokenizer, experiment.examples(2, seed=0), size=2))
    cost = experiment.step_cost(base, tokenizer, batch, "lora", rank=2)
    assert 0 < cost.activations < cost.predicted
