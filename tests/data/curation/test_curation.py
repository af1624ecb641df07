"""Curating decides on every record, keeps what was asked for at most, and does so every time."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ift_course.data.curation import curate
from ift_course.data.examples import to_records
from ift_course.data.records import Record
from ift_course.world.flaws import FLAWS, spoil
from ift_course.world.tasks import sample


def asked(question: str, answer: str) -> Record:
    return Record.from_instruction(question, "", answer)


def test_each_record_gets_the_reason_that_fits():
    records = [
        asked("Name the capital of France.", "Paris"),
        asked("Name the sound of a cow.", ""),
        asked("Name the capital of france.", "paris"),
        asked("Name the capital of the country France for me.", "It is called Paris."),
        asked("Name the capital of the country France for me!", "It is called Paris"),
        asked("What is 4 + 3?", "7"),
        asked("Sing a song.", "La la, says the owl."),
    ]
    found = curate(records, 3, seed=0)
    assert [d.reason for d in found.decisions[1:3]] == [
        "empty answer",
        "duplicate but for case or white space",
    ]
    assert found.decisions[2].twin == 0
    assert (found.decisions[4].reason, found.decisions[4].twin) == ("near duplicate", 3)
    left = found.decisions[0], found.decisions[3]
    assert {d.reason for d in left} == {"kept", "question differs less than those kept"}
    [dropped] = [d for d in left if not d.kept]
    assert found.decisions[dropped.twin].kept
    assert 0 < dropped.likeness < 1
    assert [d.kept for d in found.decisions[5:]] == [True, True]


def test_form_and_repetition_are_cleared_of_a_spoiled_set():
    examples = spoil(sample(300, seed=0), 0.5, seed=1, flaws=["echoed", "wrong_format"])
    bad = {i for i, (a, b) in enumerate(zip(sample(300, seed=0), examples, strict=True)) if a != b}
    found = curate(to_records(examples), 100, seed=0)
    assert len(found.records) == 100
    assert len([d for d in found.decisions if d.kept and d.index in bad]) <= 5


def test_a_model_ranks_and_the_best_are_spread(tiny_llama):
    model, tokenizer = tiny_llama
    records = to_records(sample(60, seed=0))
    found = curate(records, 10, seed=0, model=model, tokenizer=tokenizer)
    assert len(found.records) == 10
    ranked = sorted((d for d in found.decisions if d.score is not None), key=lambda d: d.score)
    assert {d.reason for d in ranked[20:]} == {"not among the best by IFD"}
    assert {d.index for d in found.decisions if d.kept} <= {d.index for d in ranked[:20]}


def test_hard_ones_are_those_just_below_one(tiny_llama):
    model, tokenizer = tiny_llama
    records = to_records(sample(60, seed=0))
    found = curate(records, 5, seed=0, model=model, tokenizer=tokenizer, prefer="hard")
    misled = [d for d in found.decisions if d.reason == "question does not help the answer"]
    assert misled and all(d.score >= 1 for d in misled)
    kept = [d.score for d in found.decisions if d.kept]
    worse = [d.score for d in found.decisions if d.reason == "not among the best by IFD"]
    assert max(worse) <= min(kept) < 1


def test_what_cannot_be_meant_is_refused(tiny_llama):
    with pytest.raises(ValueError, match="keep is at least 1"):
        curate([], 0, seed=0)
    with pytest.raises(ValueError, match="tokenizer"):
        curate([], 1, seed=0, model=tiny_llama[0])


def test_progress_ends_with_all_done():
    told = []
    curate(to_records(sample(50, seed=0)), 5, seed=0, on_step=lambda *now: told.append(now))
    last = {what: (done, total) for what, done, total in told}
    assert list(last) == ["looking at the form", "looking for near duplicates", "choosing"]
    assert all(done == total for done, total in last.values())


words = st.sampled_from("the owl lives in a forest , and eats mice . <noinput> owl owl".split())
texts = st.lists(words, max_size=12).map(" ".join)


@settings(max_examples=80, deadline=None)
@given(
    records=st.lists(st.builds(asked, texts, texts), max_size=25),
    keep=st.integers(1, 30),
    seed=st.integers(0, 9),
)
def test_nothing_is_lost_and_counts_add_up(records, keep, seed):
    found = curate(records, keep, seed=seed)
    assert [d.index for d in found.decisions] == list(range(len(records)))
    kept = [d.index for d in found.decisions if d.kept]
    assert found.records == [records[i] for i in kept]
    assert len(kept) <= keep
    assert all(d.kept == (d.reason == "kept") for d in found.decisions)
    waiting = Counter(d.reason for d in found.decisions)["question differs less than those kept"]
    assert not waiting or len(kept) == keep
    assert all(d.twin != d.index for d in found.decisions)
    assert found == curate(records, keep, seed=seed)


def test_every_kind_of_flaw_can_be_curated():
    examples = spoil(sample(200, seed=0), 0.6, seed=1, flaws=list(FLAWS))
    found = curate(to_records(examples), 50, seed=0)
    assert len(found.records) == 50
    assert len(found.decisions) == 200
