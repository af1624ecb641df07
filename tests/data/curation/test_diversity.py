"""The choice covers the data, however uneven its distribution."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ift_course.data.curation import diverse
from ift_course.data.curation.diversity import farthest_first, tf_idf
from ift_course.data.examples import to_records
from ift_course.data.records import Record
from ift_course.world.tasks import sample


def records_asking(*questions: str) -> list[Record]:
    return [Record.from_instruction(q, "", "Yes.") for q in questions]


def test_one_of_each_kind_is_chosen_before_a_second_of_any():
    records = records_asking(
        *["Name the capital of France."] * 20, "Sing me a song.", "What is 4 + 3?"
    )
    for seed in range(5):
        assert {min(i, 19) if i < 20 else i for i in diverse(records, 3, seed=seed)} >= {20, 21}


def test_a_frequent_task_does_not_dominate_the_choice():
    frequent = sample(400, seed=0, tasks=["capital"])
    pool = [*frequent, *sample(200, seed=1)]
    chosen = {pool[i].task for i in diverse(to_records(pool), 60, seed=0)}
    at_random = {pool[i].task for i in np.random.default_rng(0).choice(len(pool), 60, False)}
    assert len(chosen) > 1.5 * len(at_random)


def test_the_first_choice_is_left_to_the_seed():
    records = to_records(sample(100, seed=0))
    assert diverse(records, 10, seed=1) == diverse(records, 10, seed=1)
    assert len({diverse(records, 1, seed=seed)[0] for seed in range(10)}) > 1


def test_questions_without_a_word_are_alike():
    records = records_asking("?", "!!", "…", "Name a bird.")
    assert 3 in diverse(records, 2, seed=0)


def test_tf_idf_is_of_length_one_and_rates_rare_words_higher():
    vectors = tf_idf(["name the owl", "name the hen", "name"]).toarray()
    np.testing.assert_allclose((vectors**2).sum(1), 1, rtol=1e-5)
    name, the, owl = vectors[0][:3]
    assert name < the < owl


questions = st.lists(st.text(alphabet="ab ?", max_size=6), max_size=15)


@settings(deadline=None)
@given(questions=questions, k=st.integers(0, 20), seed=st.integers(0, 99))
def test_the_requested_number_is_chosen_and_the_nearest_is_a_chosen_record(questions, k, seed):
    result = farthest_first(records_asking(*questions), k, seed=seed)
    assert len(result.chosen) == len(set(result.chosen)) == min(k, len(questions))
    assert set(result.chosen) <= set(range(len(questions)))
    assert len(result.nearest) == len(result.similarity) == len(questions)
    if result.chosen:
        unchosen = set(range(len(questions))) - set(result.chosen)
        assert all(result.nearest[i] in result.chosen for i in unchosen)
    assert all(0 <= value <= 1.001 for value in result.similarity)
