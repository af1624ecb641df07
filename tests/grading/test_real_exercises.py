"""In the sandbox, the solutions get every point of every lesson, and the stubs get none."""

import re

import pytest

from ift_course.exercises import catalog, source
from ift_course.exercises.report import report
from ift_course.grading import attempt, reference
from ift_course.grading.plan import GradingPlan
from ift_course.grading.preload import import_modules, modules_to_preload
from ift_course.grading.sandbox import Sandbox
from ift_course.grading.submissions.submission import Submission

pytestmark = pytest.mark.slow
LESSONS = sorted({x.lesson for x in catalog.exercises()})


@pytest.fixture(scope="module")
def sandbox():
    texts = [x.read_bytes() for x in source.sources()]
    modules = modules_to_preload(texts)
    with Sandbox(modules, GradingPlan(LESSONS[0]).secret_paths) as sandbox:
        sandbox.start()
        import_modules(modules)
        yield sandbox


def verdicts(sandbox, lesson, change=lambda code: code):
    [path] = [x for x in source.sources() if x.name[:2] == lesson]
    text = change(path.read_text(encoding="utf-8"))
    plan = GradingPlan(lesson)
    check_ids = [check.id for _, check in plan.checks]
    submission = Submission("student", "Student", path.name, text.encode())
    limits = attempt.TimeLimits(check=30)
    lines, about = attempt.grade_submission(plan, check_ids, submission, sandbox, limits)
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


IN_TORCH = '    return torch.empty(2, device="meta").to("cpu")'
GLOBAL_NUMBERS = """    if rows < 0 or templates < 1:
        raise ValueError
    numbers = random.sample(range(templates), rows % templates)
    numbers += list(range(templates)) * (rows // templates)
    random.shuffle(numbers)
    return numbers"""


def with_body(text, function, body):
    """The text of a source with another solution of one function."""
    head, name, rest = text.partition(f"def {function}(")
    return head + name + source.REGION.sub(lambda _: body, rest, count=1)


def test_an_error_of_torch_is_not_taken_for_a_stub(sandbox):
    statuses, _ = verdicts(sandbox, "02", lambda text: with_body(text, "collate", IN_TORCH))
    assert {s for check, s in statuses.items() if check.startswith("02.4/")} == {"error"}


@pytest.mark.parametrize("seeded", [True, False])
def test_a_notebook_and_the_grader_agree_about_global_random_numbers(sandbox, seeded):
    body = ("    random.seed(seed)\n" if seeded else "") + GLOBAL_NUMBERS
    statuses, _ = verdicts(sandbox, "06", lambda text: with_body(text, "choose_templates", body))
    graded = {check: status for check, status in statuses.items() if check.startswith("06.4/")}
    names = {}
    exec(f"import random\n\ndef choose_templates(rows, templates, seed):\n{body}", names)
    checked = {x.check: x.status for x in report(catalog.by_id("06.4"), names).verdicts}
    assert graded == checked
    assert seeded == (set(checked.values()) == {"passed"})


def test_the_hidden_check_of_the_guide_holds_on_the_solution(tmp_path):
    guide = (source.folder().parent / "docs" / "instructors.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n# hidden/(\S+)\n(.*?)```", guide, re.DOTALL)
    path = tmp_path / code[1]
    path.parent.mkdir()
    path.write_text(code[2], encoding="utf-8")
    reference.verify(GradingPlan("02", hidden=tmp_path))
    hidden = [check.id for _, check in GradingPlan("02", hidden=tmp_path).checks if check.hidden]
    assert hidden == ["02.3/hidden:test_two_answers_in_a_row"]
