import pytest

from ift_course.experiments.store import Row, base_identity
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
