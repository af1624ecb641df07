"""Plain pytest over a class: `pytest --pyargs ift_course.lessons --ift-submissions DIR -v`.

A line for each student and check, with the verdict that `ift grade` gives: it comes from the same
function. The package names this file as a plugin of pytest, since its options have to be known
before any conftest.py is read. So it is loaded in every pytest run of an environment: its options
carry the course's name, and without them it does nothing.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ift_course.grading.attempt import Times
    from ift_course.grading.pool import Job
    from ift_course.grading.results import Line

LESSONS = Path(__file__).resolve().parents[1] / "lessons"


def pytest_addoption(parser):
    group = parser.getgroup("ift_course", "exercises of ift_course")
    group.addoption(
        "--ift-submissions", help="A folder or zip of a class's notebooks, run shut in."
    )
    group.addoption("--ift-learner", help="The notebook to check; the solutions without it.")
    group.addoption("--ift-seed", default="0", help="Varies the inputs of the checks.")
    group.addoption("--ift-timeout", type=float, default=10, help="Seconds for a check.")
    group.addoption("--ift-cell-timeout", type=float, default=20, help="Seconds for a cell.")


def pytest_configure(config):
    """Says at once when there is nothing to grade."""
    root = config.getoption("--ift-submissions")
    if root and not Path(root).exists():
        raise pytest.UsageError(
            f"There is nothing at {root}; name the folder or zip of submissions."
        )


def pytest_generate_tests(metafunc):
    """Every check once for each student."""
    if _is_graded(metafunc.config, metafunc.definition):
        graded = _class(metafunc.config, metafunc.definition)
        metafunc.parametrize("learner", graded.students)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Student by student, so that each one's cells are run once."""
    if config.getoption("--ift-submissions"):
        items.sort(key=lambda x: _student(x) if _is_graded(config, x) else "")


def pytest_collection_finish(session):
    """Notes which checks are asked of whom, after -k and its like have had their say."""
    for item in session.items:
        if _is_graded(session.config, item):
            graded = _class(session.config, item)
            graded.want(_student(item), item)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """The check runs against the student's process, in a process of the grader's."""
    if not _is_graded(pyfuncitem.config, pyfuncitem):
        return None
    graded = _class(pyfuncitem.config, pyfuncitem)
    line = graded.verdict(_student(pyfuncitem), pyfuncitem)
    if line["status"] != "passed":
        parts = {"": line["message"]} | {x: line.get(x) for x in ("given", "expected", "got")}
        texts = [f"{name}: {text}" if name else text for name, text in parts.items() if text]
        pytest.fail("\n".join([f"{line['title']} ({line['status']})", *texts]), pytrace=False)
    return True


def pytest_unconfigure(config):
    """Ends the student processes."""
    for graded in config.stash.get(CLASSES, {}).values():
        graded.close()


def _is_graded(config, item) -> bool:
    """Whether this test is a check of the course that a class is to be graded by."""
    function = getattr(item, "function", None) or getattr(item, "obj", None)
    ours = hasattr(function, "points") and LESSONS in Path(item.path).resolve().parents
    return bool(ours and config.getoption("--ift-submissions"))


def _student(item) -> str:
    return item.callspec.params["learner"]


class _Class:
    """The submissions of one lesson. Each is graded when the first of its checks is due."""

    def __init__(self, root: Path, lesson: str, seed: str, times: "Times") -> None:
        from ift_course.grading import submissions
        from ift_course.grading.grade import preload
        from ift_course.grading.plan import Plan
        from ift_course.grading.pool import Setting, grade_all

        self._plan = Plan(lesson, seed=seed)
        collected = list(submissions.find(root, lesson, self._plan.functions))
        self._submissions = {x.student: x for x in collected}
        self._wanted: dict[str, list[str]] = {}
        self._lines: dict[tuple[str, str], Line] = {}
        self._due = ""
        hidden = (*self._plan.secret, root)
        modules = preload([*self._plan.codes, *(x.data for x in collected)])
        setting = Setting(self._plan, times, preload=modules, hidden=hidden)
        self._graded = grade_all(self._jobs(), setting, processes=1)

    @property
    def students(self) -> list[str]:
        return sorted(self._submissions)

    def want(self, student: str, item) -> None:
        """Notes that this check of this student will be due."""
        self._wanted.setdefault(student, []).append(self._check(item))

    def verdict(self, student: str, item) -> "Line":
        """The line of the results for one check of one student."""
        key = student, self._check(item)
        if key not in self._lines:
            self._due = student
            *lines, _ = next(self._graded)
            self._lines |= {(line["student"], line["check"]): line for line in lines}
        return self._lines[key]

    def _jobs(self) -> "Iterator[Job]":
        while True:
            yield self._submissions[self._due], self._wanted[self._due]

    def _check(self, item) -> str:
        path, name = Path(item.path).resolve(), item.originalname
        for exercise, check in self._plan.checks:
            if exercise.path == path and check.name == name:
                return check.id
        raise LookupError(f"{path} has no check {name}.")

    def close(self) -> None:
        self._graded.close()


CLASSES = pytest.StashKey[dict[str, _Class]]()


def _class(config, item) -> _Class:
    lesson = Path(item.path).parent.name.removeprefix("lesson_")
    known = config.stash.setdefault(CLASSES, {})
    if lesson not in known:
        from ift_course.errors import CourseError
        from ift_course.grading.attempt import Times

        root, seed = Path(config.getoption("--ift-submissions")), config.getoption("--ift-seed")
        limits = (config.getoption(f"--ift-{name}") for name in ("cell-timeout", "timeout"))
        try:
            known[lesson] = _Class(root, lesson, seed, Times(*limits))
        except CourseError as error:
            pytest.exit(str(error), returncode=2)
    return known[lesson]
