"""Flaws damage what they say, as much as they say; preferences put the better answer first."""

import random

import pytest

from ift_course.world.facts import values
from ift_course.world.flaws import FLAWS, duplicated, spoil
from ift_course.world.preferences import FAILINGS, preferences
from ift_course.world.tables import STRANGERS
from ift_course.world.tasks import sample

GOOD = sample(360, seed=3)


@pytest.mark.parametrize("name", FLAWS)
def test_a_flawed_response_fails_its_verifier(name):
    rng = random.Random(0)
    for example in GOOD:
        flawed = FLAWS[name](example, rng)
        assert not flawed.answer.admits(flawed.response), (example, flawed.response)
        assert flawed.input == example.input
        assert flawed.answer == example.answer


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_exactly_the_asked_share_is_spoiled(share):
    spoiled = spoil(GOOD, share, seed=1)
    bad = sum(not e.answer.admits(e.response) for e in spoiled)
    assert bad == round(share * len(GOOD))


def test_spoiling_is_reproducible_and_leaves_the_originals_alone():
    before = list(GOOD)
    assert spoil(GOOD, 0.5, seed=1) == spoil(GOOD, 0.5, seed=1)
    assert spoil(GOOD, 0.5, seed=1) != spoil(GOOD, 0.5, seed=2)
    assert before == GOOD


def test_wrong_choices_are_refused():
    with pytest.raises(ValueError, match="share"):
        spoil(GOOD, 1.5, seed=0)
    with pytest.raises(ValueError, match="flaws"):
        spoil(GOOD, 0.5, seed=0, flaws=["boring"])


def test_duplicating_adds_copies_of_one_example():
    many = duplicated(GOOD, 40, seed=2)
    assert len(many) == len(GOOD) + 40
    assert max(many.count(e) for e in set(many)) >= 41


@pytest.mark.parametrize("failing", FAILINGS)
@pytest.mark.parametrize("split", ["train", "test"])
def test_chosen_is_right_and_rejected_is_not(failing, split):
    for pair in preferences(300, seed=5, split=split, failings=(failing,)):
        assert pair.example.answer.admits(pair.chosen), pair
        assert not pair.example.answer.admits(pair.rejected), pair
        assert pair.failing == failing


def test_strangers_are_strangers():
    people = set(values()["job"])
    train = preferences(500, seed=1, failings=("invention",))
    assert not people & {pair.example.entity for pair in train}
    assert not set(STRANGERS) & {pair.example.entity for pair in train}
    test = preferences(500, seed=1, split="test", failings=("invention",))
    assert {pair.example.entity for pair in test} <= set(STRANGERS)
