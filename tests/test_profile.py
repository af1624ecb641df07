"""A profile is chosen by argument or environment, and its seeds follow `$IFT_SEED`."""

import re

import pytest

from ift_course.errors import CourseError
from ift_course.profile import PROFILES, get_profile
from ift_course.settings import override_first_seed


def test_the_argument_wins_over_the_environment_and_tiny_is_the_default(monkeypatch):
    monkeypatch.delenv("IFT_PROFILE", raising=False)
    assert get_profile().name == "tiny"
    monkeypatch.setenv("IFT_PROFILE", "t4")
    assert get_profile().name == "t4"
    assert get_profile("gpu24").name == "gpu24"


def test_a_wrong_name_in_the_environment_lists_the_right_ones(monkeypatch):
    monkeypatch.setenv("IFT_PROFILE", "tiney")
    with pytest.raises(CourseError, match="choose one of tiny, smollm2, gemma, t4, gpu24"):
        get_profile()


def test_what_comes_from_a_hub_is_pinned_to_a_commit():
    for profile in PROFILES.values():
        assert profile.offline or re.fullmatch(r"[0-9a-f]{40}", profile.revision)


def test_the_seeds_begin_with_the_one_of_the_environment(monkeypatch):
    monkeypatch.delenv("IFT_SEED", raising=False)
    assert get_profile("tiny").seeds == (0, 1, 2)
    with override_first_seed(40):
        assert get_profile("tiny").seeds == (40, 41, 42)
        with override_first_seed(None):
            assert get_profile("smollm2").seeds == (40, 41, 42)
    assert get_profile("tiny").seeds == (0, 1, 2)


@pytest.mark.parametrize("text", ["one", "-1", "1.5", "²"])
def test_a_seed_must_be_a_whole_number(monkeypatch, text):
    monkeypatch.setenv("IFT_SEED", text)
    with pytest.raises(CourseError, match="give it a whole number"):
        get_profile("tiny")


def test_more_seeds_go_on_where_the_profiles_own_end(monkeypatch):
    monkeypatch.setenv("IFT_SEED", "10")
    assert get_profile("tiny").more_seeds(2) == (10, 11, 12, 13, 14, 15)
