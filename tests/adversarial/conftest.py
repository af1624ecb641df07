"""The real exercises of lesson 01, graded in one sandbox, as a class would be."""

from pathlib import Path

import pytest

CHECKS = [
    "01.1/test_each_row_is_compared_with_the_next_token",
    "01.1/test_large_scores",
    "01.3/test_likeliest_each_time",
    "01.3/test_stops_at_the_end",
]
FOLDER = Path(__file__).parent / "submissions"


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder: attacks wait for limits of time, and CI runs all of them."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def plan():
    from ift_course.grading.plan import GradingPlan

    return GradingPlan("01")


@pytest.fixture(scope="session")
def solution():
    """The course's solution of lesson 01, as the text of a submission."""
    from ift_course.exercises import source

    [path] = [x for x in source.sources() if x.name.startswith("01")]
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def sandbox(plan):
    """One server for the whole session, so that what an attack leaves behind would be seen."""
    from ift_course.grading.preload import MODULES, import_modules
    from ift_course.grading.sandbox import Sandbox

    with Sandbox([*MODULES, "torch"], hidden=plan.secret_paths) as sandbox:
        sandbox.start()
        import_modules(["torch"])
        yield sandbox


@pytest.fixture
def grade(plan, sandbox):
    """grade(code, name="x.py") -> {check: line}; the line of the submission itself under ""."""
    from ift_course.grading import attempt
    from ift_course.grading.submissions.submission import Submission

    def run(code, name="x.py", cell=20.0, check=10.0, checks=CHECKS, box=sandbox):
        data = code if isinstance(code, bytes) else code.encode()
        submission = Submission("student", "Student", name, data)
        limits = attempt.TimeLimits(cell=cell, check=check)
        verdicts, about = attempt.grade_submission(plan, checks, submission, box, limits)
        return {x["check"]: x for x in verdicts} | {"": about}

    return run


def earned(lines):
    """The points of a graded submission."""
    return sum(x["points"] for x in lines.values() if x.get("status") == "passed")
