"""Lets plain pytest run the checks: `pytest ift_course/lessons --ift-learner NOTEBOOK`."""

import random
from pathlib import Path

import pytest

from ift_course import settings

LIMIT = 10.0  # seconds for a call of the learner's function


def pytest_addoption(pluginmanager):
    """The options are the plugin's, which an installed package brings along by itself."""
    pluginmanager.import_plugin("ift_course.grading.plugin")


@pytest.fixture
def learner(request):
    """The functions of the notebook, or of the solutions."""
    from ift_course.exercises import catalog
    from ift_course.exercises.learner import InProcessLearner

    path = Path(request.path).resolve()
    exercise = next(x for x in catalog.exercises() if x.path == path)
    return InProcessLearner(
        _namespace(exercise, request.config.getoption("--ift-learner")), limit=LIMIT
    )


def _namespace(exercise, notebook):
    from ift_course.exercises import notebook_cells, source

    namespace = {}
    if notebook is None:
        written = next(x for x in source.sources() if x.name[:2] == exercise.lesson)
        codes = enumerate((x.source for x in source.cells(written) if x.cell_type == "code"), 1)
    else:
        codes = notebook_cells.code_cells(Path(notebook))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(settings.CHECKING, "1")
        for number, code in codes:
            notebook_cells.execute(number, code, namespace)
    return namespace


@pytest.fixture
def rng(request):
    """A source of random inputs, the same for the same seed and check."""
    return random.Random(f"{request.config.getoption('--ift-seed')}/{request.node.name}")


@pytest.fixture
def seed(rng):
    """A seed for torch's generators."""
    return rng.getrandbits(31)
