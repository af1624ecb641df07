"""Plain pytest over a class: `pytest --pyargs ift_course.lessons --ift-submissions DIR -v`.

A line for each student and check, with the verdict that `ift grade` gives: it comes from the same
function. The package names this file as a plugin of pytest, since its options have to be known
before any conftest.py is read. So it is loaded in every pytest run of an environment: its options
carry the course's name, and without them it does nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ift_course.grading.attempt import TimeLimits
    from ift_course.grading.pool import Job
    from ift_course.grading.results import VerdictLine

LESSONS = Path(__file__).resolve().parents[1] / "lessons"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options, all of which begin with `--ift-`."""
    group = parser.getgroup("ift_course", "exercises of ift_course")
    group.addoption(
        "--ift-submissions", help="A folder or zip of a class's notebooks, run in a sandbox."
    )
    group.addoption("--ift-learner", help="The notebook to check; the solutions without it.")
    group.addoption("--ift-seed", default="0", help="Varies the inputs of the checks.")
    group.addoption("--ift-timeout", type=float, default=10, help="Seconds for a check.")
    group.addoption("--ift-cell-timeout", type=float, default=20, help="Seconds for a cell.")


def pytest_configure(config: pytest.Config) -> None:
    """Stops at once when there is nothing to grade."""
    root = config.getoption("--ift-submissions")
    if root and not Path(root).exists():
        raise pytest.UsageError(
            f"There is nothing at {root}; name the folder or zip of submissions."
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Makes a test of every check for each student."""
    if _is_graded(metafunc.config, metafunc.definition):
        graded = _class_of(metafunc.config, metafunc.definition)
        metafunc.parametrize("learner", graded.students)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sorts the tests by student, so that each one's cells are run once."""
    if config.getoption("--ift-submissions"):
        items.sort(key=lambda x: _student(x) if _is_graded(config, x) else "")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Notes which checks are due for each student, after -k and similar options were applied."""
    for item in session.items:
        if _is_graded(session.config, item):
            _class_of(session.config, item).expect(_student(item), item)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs the check against the student's process, in a process of the grader's."""
    if not _is_graded(pyfuncitem.config, pyfuncitem):
        return None
    line = _class_of(pyfuncitem.config, pyfuncitem).verdict(_student(pyfuncitem), pyfuncitem)
    if line["status"] != "passed":
        texts = [f"{line['title']} ({line['status']})", line["message"]]
        details = {x: str(line.get(x) or "") for x in ("given", "expected", "got")}
        texts += [f"{name}: {text}" for name, text in details.items() if text]
        pytest.fail("\n".join(filter(None, texts)), pytrace=False)
    return True


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the student processes."""
    for graded in config.stash.get(CLASSES, {}).values():
        graded.close()


def _is_graded(config: pytest.Config, item: pytest.Item) -> bool:
    """Whether this test is a check of the course that a class is to be graded by."""
    function = getattr(item, "function", None) or getattr(item, "obj", None)
    ours = hasattr(function, "points") and LESSONS in Path(item.path).resolve().parents
    return bool(ours and config.getoption("--ift-submissions"))


def _student(item: Any) -> str:
    """The student of a test; only tests with parameters have the attribute `callspec`."""
    return item.callspec.params["learner"]


class _Class:
    """The submissions of one lesson. Each is graded when the first of its checks is due."""

    def __init__(self, root: Path, lesson: str, seed: str, limits: TimeLimits) -> None:
        from ift_course.grading.plan import GradingPlan
        from ift_course.grading.pool import GradingConfig, grade_all
        from ift_course.grading.preload import modules_to_preload
        from ift_course.grading.submissions.collect import find

        self._plan = GradingPlan(lesson, seed=seed)
        submissions = list(find(root, lesson, self._plan.functions))
        self._submissions = {x.student: x for x in submissions}
        self._check_ids: dict[str, list[str]] = {}
        self._lines: dict[tuple[str, str], VerdictLine] = {}
        self._next_student = ""
        hidden = (*self._plan.secret_paths, root)
        sources = [*self._plan.check_sources, *(x.data for x in submissions)]
        preload = modules_to_preload(sources)
        config = GradingConfig(self._plan, limits, preload=preload, hidden=hidden)
        self._graded = grade_all(self._jobs(), config, processes=1)

    @property
    def students(self) -> list[str]:
        """Their keys, in order."""
        return sorted(self._submissions)

    def expect(self, student: str, item: pytest.Item) -> None:
        """Notes that this check of this student will be due."""
        self._check_ids.setdefault(student, []).append(self._check_id(item))

    def verdict(self, student: str, item: pytest.Item) -> VerdictLine:
        """The line of the results for one check of one student."""
        key = student, self._check_id(item)
        if key not in self._lines:
            self._next_student = student
            verdicts, _ = next(self._graded)
            self._lines |= {(line["student"], line["check"]): line for line in verdicts}
        return self._lines[key]

    def _jobs(self) -> Iterator[Job]:
        while True:
            yield self._submissions[self._next_student], self._check_ids[self._next_student]

    def _check_id(self, item: pytest.Item) -> str:
        path, name = Path(item.path).resolve(), getattr(item, "originalname", item.name)
        for exercise, check in self._plan.checks:
            if exercise.path == path and check.name == name:
                return check.id
        raise LookupError(f"{path} has no check {name}.")

    def close(self) -> None:
        """Ends the grading process."""
        self._graded.close()


CLASSES = pytest.StashKey[dict[str, _Class]]()


def _class_of(config: pytest.Config, item: pytest.Item) -> _Class:
    """The class of the lesson that a check belongs to."""
    lesson = Path(item.path).parents[1].name.removeprefix("lesson_")
    known = config.stash.setdefault(CLASSES, {})
    if lesson not in known:
        from ift_course.errors import CourseError
        from ift_course.grading.attempt import TimeLimits

        options = config.option
        limits = TimeLimits(cell=options.ift_cell_timeout, check=options.ift_timeout)
        try:
            known[lesson] = _Class(Path(options.ift_submissions), lesson, options.ift_seed, limits)
        except CourseError as error:
            pytest.exit(str(error), returncode=2)
    return known[lesson]
