"""Held-out rows stay out of training, and so do rows that repeat them."""

import math

import pytest

from ift_course.data.records import Record
from ift_course.errors import CourseError
from ift_course.evaluation.hold_out import LossChange, split_records

NOUNS = "owl cow dog cat hen fox bee ant elk yak emu gnu bat rat pig".split()


def test_a_share_is_held_out_by_seed_and_nothing_is_lost():
    rows = [Record.from_instruction(f"{a} {a} {i}?", "", f"{i}") for i, a in enumerate(NOUNS)]
    split = split_records(rows, 0.2, 0)
    assert len(split.held_out) == 3 and len(split.training) + split.n_removed == 12
    assert split == split_records(rows, 0.2, 0)
    assert split.held_out != split_records(rows, 0.2, 1).held_out
    assert not set(split.held_out) & set(split.training)


def test_rows_with_the_same_question_are_removed_and_similar_ones_are_counted():
    same = [
        Record.from_instruction("What is the capital of France?", "", a) for a in ("Paris", "Lyon")
    ]
    other = Record.from_instruction("Name the sound of a cow.", "", "Moo")
    near = [
        Record.from_instruction(
            "What is 1400 + 3, written out in words and not in digits, please?", "", "one"
        ),
        Record.from_instruction(
            "What is 1400 + 5, written out in words and not in digits, please?", "", "another thing"
        ),
    ]
    for seed in range(8):
        split = split_records([*same, other, *near], 0.2, seed)
        [held_out] = split.held_out
        assert split.n_removed == (held_out in same)
        assert split.n_similar == (held_out in near)
        questions = {record.turns[0].content for record in split.training}
        assert held_out.turns[0].content not in questions


def test_nothing_left_to_train_on_is_refused():
    rows = [Record.from_instruction("The same question?", "", f"{i}") for i in range(5)]
    with pytest.raises(CourseError, match=r"none of the 5 rows is left to train on"):
        split_records(rows, 0.2, 0)


@pytest.mark.parametrize(
    ("after", "words"),
    [(1.0, "(−1.000; −1.000 to −1.000)."), (3.0, "predicts them worse"), (2.0, "may be chance")],
)
def test_the_sentence_on_the_loss_follows_the_interval(after, words):
    change = LossChange([2.0] * 9 + [math.nan], [after] * 10)
    assert words in change.sentence() and "9 held-out responses: 2.000 → " in change.sentence()
    assert LossChange([math.nan], [1.0]).sentence().startswith("No held-out response fits")
