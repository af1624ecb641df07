"""Fixtures to run the checks with pytest: `pytest ift_course/lessons --ift-learner NOTEBOOK`."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ift_course import settings

if TYPE_CHECKING:
    from ift_course.exercises.catalog import Exercise
    from ift_course.exercises.learner import InProcessLearner

LIMIT = 10.0  # seconds for a call of the learner's function


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Import the plugin that defines the options; an installed package does this by itself."""
    pluginmanager.import_plugin("ift_course.grading.plugin")


@pytest.fixture
def learner(request: pytest.FixtureRequest) -> InProcessLearner:
    """The functions of the notebook or, without one, of the solutions."""
    from ift_course.exercises import catalog
    from ift_course.exercises.learner import InProcessLearner

    path = Path(request.path).resolve()
    exercise = next(x for x in catalog.exercises() if x.path == path)
    return InProcessLearner(
        _namespace(exercise, request.config.getoption("--ift-learner")), limit=LIMIT
    )


def _namespace(exercise: Exercise, notebook: str | None) -> dict[str, Any]:
    from ift_course.exercises import notebook_cells, source

    namespace: dict[str, Any] = {}
    if notebook is None:
        path = next(x for x in source.sources() if x.name[:2] == exercise.lesson)
        codes = enumerate((x.source for x in source.cells(path) if x.cell_type == "code"), 1)
    else:
        codes = notebook_cells.code_cells(Path(notebook))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.CHECKING, "1")
        for number, code in codes:
            notebook_cells.execute(number, code, namespace)
    return namespace


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """A generator of random inputs, the same for the same seed and check."""
    return random.Random(f"{request.config.getoption('--ift-seed')}/{request.node.name}")


@pytest.fixture
def seed(rng: random.Random) -> int:
    """A seed for torch generators."""
    return rng.getrandbits(31)
