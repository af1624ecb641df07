"""Duplicates point to a record that stays; records that only look similar are not duplicates."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ift_course.data.curation import exact_duplicates, near_duplicates
from ift_course.data.curation.duplicates import jaccard, shingles
from ift_course.data.records import Record, Turn


def record(question: str, answer: str) -> Record:
    return Record.from_instruction(question, "", answer)


LONG = "The owl is a bird that lives in the forest, eats mice, and is known for its hoot at night."


def test_the_same_in_other_case_and_spacing_is_an_exact_duplicate():
    records = [
        record("Name the capital of France.", "Paris"),
        record("Name the capital of Spain.", "Madrid"),
        record("name the  capital of France. ", "PARIS\n"),
        record("Name the capital of France.", "Lyon"),
        record("Name the capital of France.", "Paris"),
    ]
    assert exact_duplicates(records) == [None, None, 0, None, 0]


def test_the_speaker_matters():
    turns = (Turn("user", "a"), Turn("assistant", "b"))
    shifted = (Turn("system", "a"), Turn("user", "a"), Turn("assistant", "b"))
    assert exact_duplicates([Record(turns), Record(shifted)]) == [None, None]


def test_a_small_change_in_a_long_text_is_a_near_duplicate():
    records = [
        record("Tell me about the owl.", LONG),
        record("Tell me about the dog.", LONG.replace("owl", "dog")),
        record("Tell me about the owl!", LONG.replace("mice,", "mice")),
        record("Tell me about the owl", LONG),
    ]
    assert near_duplicates(records) == [None, None, 0, 0]


def test_similar_questions_with_other_answers_are_not_duplicates():
    question = "Is it true, as far as you know from what you have read, that {} is in Europe?"
    records = [record(question.format("Spain"), "Yes"), record(question.format("Spain."), "No")]
    assert near_duplicates(records, 0.5) == [None, None]


def test_similar_answers_to_other_questions_are_not_duplicates():
    records = [record("Tell me about the owl.", LONG), record("Write anything you like.", LONG)]
    assert near_duplicates(records, 0.5) == [None, None]


@pytest.mark.parametrize("threshold", [0, -1, 1.1])
def test_a_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(ValueError, match="threshold"):
        near_duplicates([], threshold)


sentences = st.lists(st.sampled_from("the owl lives in a forest and eats mice".split()), max_size=9)
records_ = st.lists(
    st.builds(lambda q, a: record(" ".join(q), " ".join(a)), sentences, sentences), max_size=20
)


@settings(max_examples=60, deadline=None)
@given(records=records_, threshold=st.sampled_from([0.5, 0.8, 1.0]))
def test_a_duplicate_points_to_an_earlier_similar_record_that_stays(records, threshold):
    duplicate_of = near_duplicates(records, threshold)
    assert len(duplicate_of) == len(records)
    for i, original in enumerate(duplicate_of):
        if original is None:
            continue
        assert original < i
        assert duplicate_of[original] is None
        for a, b in zip(records[i].turns, records[original].turns, strict=True):
            assert jaccard(shingles(a.content), shingles(b.content)) >= threshold


@settings(max_examples=60, deadline=None)
@given(records=records_)
def test_every_exact_duplicate_is_a_near_one_too(records):
    near = near_duplicates(records)
    assert all(
        near[i] is not None
        for i, original in enumerate(exact_duplicates(records))
        if original is not None
    )
