"""Curating decides on every record, keeps at most the requested number, and does so every time."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ift_course.data.curation import Decision, curate
from ift_course.data.examples import to_records
from ift_course.data.records import Record
from ift_course.world.flaws import FLAWS, spoil
from ift_course.world.tasks import sample


def record(question: str, answer: str) -> Record:
    return Record.from_instruction(question, "", answer)


def ifd(decision: Decision) -> float:
    assert decision.score is not None
    return decision.score


def test_each_record_gets_the_reason_that_fits():
    records = [
        record("Name the capital of France.", "Paris"),
        record("Name the sound of a cow.", ""),
        record("Name the capital of france.", "paris"),
        record("Name the capital of the country France for me.", "It is called Paris."),
        record("Name the capital of the country France for me!", "It is called Paris"),
        record("What is 4 + 3?", "7"),
        record("Sing a song.", "La la, says the owl."),
    ]
    result = curate(records, 3, seed=0)
    assert [d.reason for d in result.decisions[1:3]] == [
        "empty answer",
        "duplicate except for case or white space",
    ]
    assert result.decisions[2].similar_to == 0
    assert (result.decisions[4].reason, result.decisions[4].similar_to) == ("near duplicate", 3)
    left = result.decisions[0], result.decisions[3]
    assert {d.reason for d in left} == {"selected", "question is more similar to the selected ones"}
    [dropped] = [d for d in left if not d.selected]
    assert dropped.similar_to is not None and dropped.similarity is not None
    assert result.decisions[dropped.similar_to].selected
    assert 0 < dropped.similarity < 1
    assert [d.selected for d in result.decisions[5:]] == [True, True]


def test_flawed_form_and_repetition_are_removed_from_a_spoiled_set():
    examples = spoil(sample(300, seed=0), 0.5, seed=1, flaws=["echoed", "wrong_format"])
    bad = {i for i, (a, b) in enumerate(zip(sample(300, seed=0), examples, strict=True)) if a != b}
    result = curate(to_records(examples), 100, seed=0)
    assert len(result.records) == 100
    assert len([d for d in result.decisions if d.selected and d.index in bad]) <= 5


def test_a_model_ranks_and_the_choice_is_among_the_best(tiny_llama):
    model, tokenizer = tiny_llama
    records = to_records(sample(60, seed=0))
    result = curate(records, 10, seed=0, model=model, tokenizer=tokenizer, prefer="low_ifd")
    assert len(result.records) == 10
    ranked = sorted((d for d in result.decisions if d.score is not None), key=ifd)
    assert {d.reason for d in ranked[20:]} == {"not among the best by IFD"}
    assert {d.index for d in result.decisions if d.selected} <= {d.index for d in ranked[:20]}


def test_high_ifd_keeps_the_records_just_below_one(tiny_llama):
    model, tokenizer = tiny_llama
    records = to_records(sample(60, seed=0))
    result = curate(records, 5, seed=0, model=model, tokenizer=tokenizer, prefer="high_ifd")
    not_helpful = [d for d in result.decisions if d.reason == "question does not help the answer"]
    assert not_helpful and all(ifd(d) >= 1 for d in not_helpful)
    selected_scores = [ifd(d) for d in result.decisions if d.selected]
    lower_ranked = [ifd(d) for d in result.decisions if d.reason == "not among the best by IFD"]
    assert max(lower_ranked) <= min(selected_scores) < 1


def test_invalid_arguments_are_refused(tiny_llama):
    with pytest.raises(ValueError, match="keep is at least 1"):
        curate([], 0, seed=0)
    with pytest.raises(ValueError, match="tokenizer"):
        curate([], 1, seed=0, model=tiny_llama[0])
    with pytest.raises(ValueError, match='prefer="low_ifd" or prefer="high_ifd"'):
        curate([], 1, seed=0, model=tiny_llama[0], tokenizer=tiny_llama[1])


def test_progress_ends_with_all_records():
    steps = []
    curate(to_records(sample(50, seed=0)), 5, seed=0, on_step=lambda *step: steps.append(step))
    last = {name: (n_done, total) for name, n_done, total in steps}
    assert list(last) == [
        "checking the form",
        "looking for near duplicates",
        "choosing diverse questions",
    ]
    assert all(n_done == total for n_done, total in last.values())


words = st.sampled_from("the owl lives in a forest , and eats mice . <noinput> owl owl".split())
texts = st.lists(words, max_size=12).map(" ".join)


@settings(max_examples=80, deadline=None)
@given(
    records=st.lists(st.builds(record, texts, texts), max_size=25),
    keep=st.integers(1, 30),
    seed=st.integers(0, 9),
)
def test_nothing_is_lost_and_counts_add_up(records, keep, seed):
    result = curate(records, keep, seed=seed)
    assert [d.index for d in result.decisions] == list(range(len(records)))
    selected_indices = [d.index for d in result.decisions if d.selected]
    assert result.records == [records[i] for i in selected_indices]
    assert len(selected_indices) <= keep
    assert all(d.selected == (d.reason == "selected") for d in result.decisions)
    reasons = Counter(d.reason for d in result.decisions)
    n_similar = reasons["question is more similar to the selected ones"]
    assert not n_similar or len(selected_indices) == keep
    assert all(d.similar_to != d.index for d in result.decisions)
    assert result == curate(records, keep, seed=seed)


def test_every_kind_of_flaw_can_be_curated():
    examples = spoil(sample(200, seed=0), 0.6, seed=1, flaws=list(FLAWS))
    result = curate(to_records(examples), 50, seed=0)
    assert len(result.records) == 50
    assert len(result.decisions) == 200
