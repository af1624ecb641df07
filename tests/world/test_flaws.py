"""Each flaw damages the response and nothing else; in a preference the better answer is chosen."""

import random

import pytest

from ift_course.world.facts import values
from ift_course.world.flaws import FLAWS, spoil
from ift_course.world.preferences import FAILINGS, preferences
from ift_course.world.tables import UNKNOWN_PEOPLE
from ift_course.world.tasks import sample

GOOD = sample(360, seed=3)


@pytest.mark.parametrize("name", FLAWS)
def test_a_flawed_response_fails_its_verifier(name):
    rng = random.Random(0)
    for example in GOOD:
        flawed = FLAWS[name](example, rng)
        assert not flawed.answer.accepts(flawed.response), (example, flawed.response)
        assert flawed.input == example.input
        assert flawed.answer == example.answer


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_exactly_the_requested_share_is_damaged(share):
    spoiled = spoil(GOOD, share, seed=1)
    n_damaged = sum(not e.answer.accepts(e.response) for e in spoiled)
    assert n_damaged == round(share * len(GOOD))


def test_spoiling_is_reproducible_and_leaves_the_originals_alone():
    before = list(GOOD)
    assert spoil(GOOD, 0.5, seed=1) == spoil(GOOD, 0.5, seed=1)
    assert spoil(GOOD, 0.5, seed=1) != spoil(GOOD, 0.5, seed=2)
    assert before == GOOD


def test_an_invalid_share_or_flaw_is_rejected():
    with pytest.raises(ValueError, match="share"):
        spoil(GOOD, 1.5, seed=0)
    with pytest.raises(ValueError, match="flaws"):
        spoil(GOOD, 0.5, seed=0, flaws=["boring"])


@pytest.mark.parametrize("failing", FAILINGS)
@pytest.mark.parametrize("split", ["train", "test"])
def test_chosen_is_right_and_rejected_is_not(failing, split):
    for pair in preferences(300, seed=5, split=split, failings=(failing,)):
        assert pair.example.answer.accepts(pair.chosen), pair
        assert not pair.example.answer.accepts(pair.rejected), pair
        assert pair.failing == failing


def test_unknown_people_have_no_facts():
    people = set(values()["job"])
    train = preferences(500, seed=1, failings=("invention",))
    assert not people & {pair.example.entity for pair in train}
    assert not set(UNKNOWN_PEOPLE) & {pair.example.entity for pair in train}
    test = preferences(500, seed=1, split="test", failings=("invention",))
    assert {pair.example.entity for pair in test} <= set(UNKNOWN_PEOPLE)
