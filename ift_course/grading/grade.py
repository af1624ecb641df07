"""Grading a class: what was handed in, against the plan, into the one file of results."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ift_course.errors import CourseError
from ift_course.grading import isolation, reference, submissions
from ift_course.grading.gradebook import OVERRIDES, POLICY, ROSTER
from ift_course.grading.plan import Plan
from ift_course.grading.pool import Job, Setting, grade_all
from ift_course.grading.results import Line, Results, ResultsFile
from ift_course.grading.sandbox import Sandbox
from ift_course.grading.submissions import Reading, Submission

HEAVY = ("torch", "numpy", "transformers", "datasets", "peft", "trl", "matplotlib")
MODULES = "ift_course.exercises.notebook_api", "ift_course.session", "psutil"  # what the cells call
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
    reading: Reading | None = None,
    on_done: Callable[[Done], None] = lambda done: None,
) -> Results:
    """Runs whatever checks have not been run on these submissions, and adds to `out/results.jsonl`.

    Args:
        root: The folder or archive of submissions.
        out: The folder of the gradebook.
        setting: The checks and the limits.
        jobs: Submissions at a time.
        insist: Run hidden checks even where student code could read files.
        reading: What the instructor says about the layout of the submissions.
        on_done: Called after each submission.

    Raises:
        CourseError: Nothing was handed in, the layout of the submissions is in doubt, a hidden
            check fails on the course's own solution, or this machine cannot keep the hidden checks
            hidden.
    """
    plan = setting.plan
    reference.verify(plan)
    collection = submissions.collect(root, plan.lesson, plan.functions, reading, skip=out)
    with ResultsFile(out / "results.jsonl") as file:
        line, account = plan.line(), collection.account() | {"root": str(root.resolve())}
        waiting = todo(plan, collection.submissions, file.results)
        modules = preload([*plan.codes, *(x.data for x, _ in waiting)])
        if file.results.plan != line:
            file.add([line])
        if file.results.accounts.get(account["root"]) != account:
            file.add([account])
        hidden = (*setting.hidden, *plan.secret, root, out)
        setting = replace(setting, hidden=hidden, preload=modules)
        if any(check.hidden for _, check in plan.checks) and not insist and waiting:
            _demand_secrecy(setting)
        isolation.hide()
        yours = _contents(out)
        exposed = False
        abouts = {x.student: x.about() for x in collection.submissions}
        graded = grade_all(waiting, setting, jobs, len(waiting))
        for number, lines in enumerate(graded, 1):
            about = lines[-1]
            about |= abouts[about["student"]] | {"root": account["root"]}
            rungs = set(about["rungs"])  # none where no student's code was run
            exposed = exposed or bool(rungs and not PROTECTS_FILES & rungs)
            after = {x["check"]: x for x in lines[:-1]}
            known = file.results.verdicts
            before = {x: known[key] for x in after if (key := (about["student"], x)) in known}
            file.add(lines)
            on_done(Done(about["student"], about["name"], number, len(waiting), before, after))
        file.add(_changed(file.results, abouts, account["root"]))
        changed = [name for name, content in _contents(out).items() if yours[name] != content]
        if exposed and changed:
            raise CourseError(
                f"{', '.join(changed)} in {out} changed while student code ran that could write "
                "files here; look at it, and run the same command again."
            )
        return file.results


def _contents(out: Path) -> dict[str, bytes | None]:
    """What the grades depend on besides the results: the instructor's own files."""
    paths = [out / name for name in (ROSTER, OVERRIDES, POLICY)]
    return {path.name: path.read_bytes() if path.is_file() else None for path in paths}


def todo(plan: Plan, collected: Iterable[Submission], results: Results) -> list[Job]:
    """The submissions with the checks that are still to be run on each.

    All of it is in this process's memory before any student's code runs, so that none can change
    or take away the work of another.
    """
    return [(x, checks) for x in collected if (checks := missing(plan, x, results))]


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
    heavy = re.compile(rb"\b(%s|Handle)\b" % "|".join(HEAVY).encode())
    named = {
        name.decode()
        for code in codes
        for said in statement.findall(code)
        for name in heavy.findall(said)
    }
    if "Handle" in named:
        named.add("torch")
    return (*MODULES, *(x for x in HEAVY if x in named))


def _changed(results: Results, abouts: dict[str, dict], root: str) -> list[Line]:
    """The lines of submissions of which all is new but the content: a date, a flag, a name."""
    lines = []
    for student, about in abouts.items():
        line = results.submissions[student]
        if line != line | about | {"root": root}:
            lines.append(line | about | {"root": root})
    return lines


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
