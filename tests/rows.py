"""A row of a grid as `run_cell` gives it, for the tests of stores, grids and figures."""

import pytest

from ift_course.claims.grid_store import base_identity
from ift_course.lessons.lesson_03.config import Row
from ift_course.profile import get_profile


@pytest.fixture(scope="session")
def a_row():
    """A maker of rows as `run_cell` gives them, of a cell and a seed, with nothing trained."""

    def make(cell, seed: int, **changed) -> Row:
        values = dict(
            cell=cell, seed=seed, items="1101", lenient=1.0, ended=1.0, clean=1.0,
            said={"What?": "That."}, steps=3, loss=0.5, seconds=1.0, date="2026-01-02",
            base=base_identity(get_profile("tiny")), machine="a machine", threads=1,
            versions={"torch": "2"},
        )  # fmt: skip
        return Row(**(values | changed))

    return make
