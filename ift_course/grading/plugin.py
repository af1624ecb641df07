"""Plain pytest over a class: `pytest --pyargs ift_course.checks --submissions DIR -v`.

A line for each student and check, with the verdict that `ift grade` would give. The package names
this file as a plugin of pytest; its options have to be known before any conftest.py is read.
"""

from pathlib import Path

import pytest


def pytest_addoption(parser):
    group = parser.getgroup("ift_course", "exercises of ift_course")
    group.addoption("--submissions", help="A folder or zip of a class's notebooks, run shut in.")
    group.addoption("--learner", help="The notebook to check; the solutions without it.")
    group.addoption("--seed", default="0", help="Varies the inputs of the checks.")


def pytest_generate_tests(metafunc):
    """Every check once for each student."""
    root = metafunc.config.getoption("--submissions")
    if root and hasattr(metafunc.function, "worth"):
        graded = _class(metafunc.config, Path(metafunc.definition.path).parent.name[-2:])
        metafunc.parametrize("learner", sorted(graded.submissions))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Student by student, so that each one's cells are run once."""
    if config.getoption("--submissions"):
        items.sort(key=lambda x: x.callspec.params["learner"] if hasattr(x, "callspec") else "")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """The check runs here, against the student's process."""
    if not pyfuncitem.config.getoption("--submissions"):
        return None
    path = Path(pyfuncitem.path)
    verdict = _class(pyfuncitem.config, path.parent.name[-2:]).verdict(
        pyfuncitem.callspec.params["learner"], path, pyfuncitem.originalname
    )
    if not verdict.passed:
        parts = [("", verdict.message), ("given", verdict.given), ("expected", verdict.expected),
                 ("got", verdict.got)]  # fmt: skip
        told = [f"{name}: {text}" if name else text for name, text in parts if text]
        pytest.fail("\n".join([f"{verdict.title} ({verdict.status})", *told]), pytrace=False)
    return True


def pytest_unconfigure(config):
    """Ends the student processes."""
    for graded in config.stash.get(CLASSES, {}).values():
        graded.close()


class _Class:
    """The submissions of one lesson, with one student's process at a time."""

    def __init__(self, root: Path, lesson: str, seed: str) -> None:
        from ift_course.grading import server, submissions
        from ift_course.grading.grade import preload
        from ift_course.grading.plan import Plan
        from ift_course.grading.sandbox import Sandbox

        self.plan = Plan(lesson, seed=seed)
        found = submissions.find(root, lesson, self.plan.functions)
        self.submissions = {x.student: x for x in found}
        modules = preload([*self.plan.codes, *(x.data for x in self.submissions.values())])
        self._sandbox = Sandbox(modules, [*self.plan.secret, root])
        self._sandbox.start()
        server.load(list(modules))
        self._student, self._attempt = "", None

    def verdict(self, student: str, path: Path, name: str):
        from ift_course.grading import attempt, submissions

        if student != self._student:
            self._student = student
            cells = submissions.cells(self.submissions[student])
            self._attempt = attempt.Attempt(self._sandbox, cells, attempt.Times())
        for exercise, check in self.plan.checks:
            if exercise.path == path.resolve() and check.name == name:
                seed = f"{self.plan.seed}/{student}"
                limit = self._attempt.times.check
                return attempt.judge(self._attempt, exercise, check, seed, limit)[0]
        raise LookupError(f"{path} has no check {name}.")

    def close(self) -> None:
        self._sandbox.__exit__()


CLASSES = pytest.StashKey[dict[str, _Class]]()


def _class(config, lesson: str) -> _Class:
    known = config.stash.setdefault(CLASSES, {})
    if lesson not in known:
        root = Path(config.getoption("--submissions"))
        known[lesson] = _Class(root, lesson, config.getoption("--seed"))
    return known[lesson]
