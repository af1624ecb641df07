"""Grading a class: what was handed in, against the plan, into the one file of results."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ift_course.errors import CourseError
from ift_course.grading import isolation, reference, submissions
from ift_course.grading.plan import Plan
from ift_course.grading.pool import Job, Setting, grade_all
from ift_course.grading.results import Line, Results, ResultsFile
from ift_course.grading.sandbox import Sandbox
from ift_course.grading.submissions import Submission

HEAVY = ("torch", "numpy", "transformers", "datasets", "peft", "trl", "matplotlib")
MODULES = "ift_course.checks.notebook", "ift_course.session", "psutil"  # what the cells call
PROTECTS_FILES = {"bubblewrap", "landlock"}


@dataclass(frozen=True)
class Done:
    """One submission that was graded, of how many, and the verdicts before and after."""

    student: str
    name: str
    number: int
    total: int
    before: dict[str, Line]
    after: dict[str, Line]


def grade(
    root: Path,
    out: Path,
    setting: Setting,
    *,
    jobs: int = 1,
    insist: bool = False,
    on_done: Callable[[Done], None] = lambda done: None,
) -> Results:
    """Runs whatever checks have not been run on these submissions, and adds to `out/results.jsonl`.

    insist: run hidden checks even where student code could read files.

    Raises:
        CourseError: nothing was handed in, a hidden check fails on the course's own solution, or
            this machine cannot keep the hidden checks hidden.
    """
    plan = setting.plan
    reference.verify(plan)
    with ResultsFile(out / "results.jsonl") as file:
        line = plan.line()
        todo, modules = _survey(root, plan, file.results)
        if file.results.plan != line:
            file.add([line])
        hidden = (*setting.hidden, *plan.secret, root, out)
        setting = replace(setting, hidden=hidden, preload=modules)
        if any(check.hidden for _, check in plan.checks) and not insist and todo:
            _demand_secrecy(setting)
        waiting = _waiting(root, plan, todo)
        graded = grade_all(waiting, setting, jobs, total=len(todo))
        for number, lines in enumerate(graded, 1):
            about = lines[-1]
            after = {x["check"]: x for x in lines[:-1]}
            known = file.results.verdicts
            before = {x: known[key] for x in after if (key := (about["student"], x)) in known}
            file.add(lines)
            on_done(Done(about["student"], about["name"], number, len(todo), before, after))
        return file.results


def missing(plan: Plan, submission: Submission, results: Results) -> list[str]:
    """The ids of the checks that have not been run on this very submission."""
    return [
        check.id
        for exercise, check in plan.checks
        if not results.has(
            submission.student,
            check.id,
            plan.key(exercise, submission.sha, submission.student),
        )
    ]


def preload(codes: Iterable[bytes]) -> tuple[str, ...]:
    """The modules to load once for all students: what the course's cells call, and what is named.

    codes: of the submissions and of the checks. Named are modules in an import; what a check hands
    over by name is of torch. A process is forked several times slower with torch than without.
    """
    statement = re.compile(rb"\b(?:import|from) [^\n]*|\bNamed\b")
    heavy = re.compile(rb"\b(%s|Named)\b" % "|".join(HEAVY).encode())
    named = {
        name.decode()
        for code in codes
        for said in statement.findall(code)
        for name in heavy.findall(said)
    }
    if "Named" in named:
        named.add("torch")
    return (*MODULES, *(x for x in HEAVY if x in named))


def _survey(
    root: Path, plan: Plan, results: Results
) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """What is to do for each student, and what to preload for it."""
    todo = {}

    def codes() -> Iterator[bytes]:
        yield from plan.codes
        for submission in submissions.find(root, plan.lesson, plan.functions):
            if wanted := missing(plan, submission, results):
                todo[submission.student] = wanted
                yield submission.data

    return todo, preload(codes())


def _waiting(root: Path, plan: Plan, todo: dict[str, list[str]]) -> Iterator[Job]:
    for submission in submissions.find(root, plan.lesson, plan.functions):
        if submission.student in todo:
            yield submission, todo[submission.student]


def _demand_secrecy(setting: Setting) -> None:
    rungs = held(setting)
    if not PROTECTS_FILES & set(rungs):
        raise CourseError(
            "Hidden checks would not stay hidden: on this machine student code can read files "
            f"(only {', '.join(rungs)} hold). Install bubblewrap, or use Linux 5.13 or newer; "
            "--insist grades all the same."
        )


def held(setting: Setting | None = None) -> list[str]:
    """The rungs of isolation that hold on this machine."""
    rungs, bubblewrap = (setting.rungs, setting.bubblewrap) if setting else (isolation.RUNGS, None)
    with Sandbox(rungs=rungs, bubblewrap=bubblewrap) as sandbox:
        return sandbox.student().rungs
