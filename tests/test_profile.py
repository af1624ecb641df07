import re

import pytest

from ift_course.errors import CourseError
from ift_course.profile import PROFILES, get_profile


def test_the_argument_wins_over_the_environment_and_tiny_is_the_default(monkeypatch):
    monkeypatch.delenv("IFT_PROFILE", raising=False)
    assert get_profile().name == "tiny"
    monkeypatch.setenv("IFT_PROFILE", "t4")
    assert get_profile().name == "t4"
    assert get_profile("gpu24").name == "gpu24"


def test_a_wrong_name_in_the_environment_lists_the_right_ones(monkeypatch):
    monkeypatch.setenv("IFT_PROFILE", "tiney")
    with pytest.raises(CourseError, match="choose one of tiny, smollm2, t4, gpu24"):
        get_profile()


def test_what_comes_from_a_hub_is_pinned_to_a_commit():
    for profile in PROFILES.values():
        assert profile.offline or re.fullmatch(r"[0-9a-f]{40}", profile.revision)
