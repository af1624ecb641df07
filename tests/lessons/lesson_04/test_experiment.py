"""Lesson 04's helpers: questions that no example asks, paired differences."""

import ift_course as ift
from ift_course.lessons.lesson_04 import experiment

ALL, HALF = [[1.0] * 40] * 3, [[1.0, 0.0] * 20] * 3


def test_a_question_that_an_example_asks_in_other_words_is_left_out():
    examples, questions = experiment.examples(80, seed=400), experiment.examples(100, seed=500)
    kept = experiment.unasked(questions, examples)
    asked = {(x.task, x.entity) for x in examples}
    assert 0 < len(kept) < len(questions)
    assert not any((questions[i].task, questions[i].entity) in asked for i in kept)
    assert experiment.unasked(examples, examples) == []
    assert len(experiment.unasked(experiment.questions(50, seed=0), examples)) == 50


def test_a_difference_in_points_is_paired():
    assert experiment.points(HALF, HALF).startswith("+0.0 points (")
    assert experiment.points(ALL, HALF).startswith("+50.0 points (+")
    assert experiment.points(HALF[:1], ALL[:1]).startswith("-50.0 points (-")


def test_activations_are_a_part_of_the_predicted_memory():
    base, tokenizer = ift.load("base")
    batch = next(experiment.batches(tokenizer, experiment.examples(2, seed=0), size=2))
    cost = experiment.step_cost(base, tokenizer, batch, "lora", rank=2)
    assert 0 < cost.activations < cost.predicted
