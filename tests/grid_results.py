"""A result of a grid as `run_config` returns it, for the tests of stores, grids and figures."""

from collections.abc import Callable
from typing import Any

import pytest

from ift_course.lessons.lesson_03.config import LimaConfig, LimaResult
from ift_course.models.fingerprint import base_identity
from ift_course.profile import get_profile


@pytest.fixture(scope="session")
def a_result() -> Callable[..., LimaResult]:
    """A function that makes the result of a configuration and a seed, with nothing trained."""

    def make(config: LimaConfig, seed: int, **changes: Any) -> LimaResult:
        values = dict(
            config=config, seed=seed, seconds=1.0, date="2026-01-02",
            base=base_identity(get_profile("tiny")), machine="a machine", threads=1,
            items="1101", clean=1.0, answers={"What?": "That."},
            steps=3, loss=0.5, versions={"torch": "2"},
        )  # fmt: skip
        return LimaResult(**(values | changes))

    return make
