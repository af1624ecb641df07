"""The course's own solutions, shut in, get every point of every lesson; the stubs get none."""

import re

import pytest

from ift_course.checks import catalog
from ift_course.exercises import source
from ift_course.grading import attempt, reference, server
from ift_course.grading.grade import preload
from ift_course.grading.plan import Plan
from ift_course.grading.sandbox import Sandbox
from ift_course.grading.submissions import Submission

LESSONS = sorted({x.lesson for x in catalog.exercises()})


@pytest.fixture(scope="module")
def sandbox():
    texts = [x.read_bytes() for x in source.sources()]
    modules = preload(texts)
    with Sandbox(modules, Plan(LESSONS[0]).secret) as made:
        made.start()
        server.load(list(modules))
        yield made


def verdicts(sandbox, lesson, change=lambda code: code):
    [path] = [x for x in source.sources() if x.name[:2] == lesson]
    text = change(path.read_text(encoding="utf-8"))
    plan = Plan(lesson)
    wanted = [check.id for _, check in plan.checks]
    submission = Submission("student", "Student", path.name, text.encode())
    *lines, about = attempt.grade(plan, wanted, submission, sandbox, attempt.Times(check=30))
    return {x["check"]: x["status"] for x in lines}, about


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_solution_gets_every_point(sandbox, lesson):
    statuses, about = verdicts(sandbox, lesson)
    assert set(statuses.values()) == {"passed"}, statuses
    assert about["notes"] == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_stubs_get_none(sandbox, lesson):
    statuses, _ = verdicts(sandbox, lesson, source.stubbed)
    assert set(statuses.values()) == {"not yet"}, statuses


def test_the_hidden_check_of_the_guide_holds_on_the_solution(tmp_path):
    guide = (source.folder().parent / "docs" / "instructors.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n# hidden/(\S+)\n(.*?)```", guide, re.DOTALL)
    path = tmp_path / code[1]
    path.parent.mkdir()
    path.write_text(code[2], encoding="utf-8")
    reference.verify(Plan("02", hidden=tmp_path))
    hidden = [check.id for _, check in Plan("02", hidden=tmp_path).checks if check.hidden]
    assert hidden == ["02.3/hidden:test_two_answers_in_a_row"]
