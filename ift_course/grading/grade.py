"""Grading a class: what was handed in, against the plan, into the one file of results."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from ift_course.errors import CourseError
from ift_course.grading import isolation, reference
from ift_course.grading.gradebook import OVERRIDES, POLICY, RESULTS, ROSTER
from ift_course.grading.layers import FILE_LAYERS, LAYERS
from ift_course.grading.pool import grade_all
from ift_course.grading.preload import modules_to_preload
from ift_course.grading.results import ResultsFile
from ift_course.grading.sandbox import Sandbox
from ift_course.grading.submissions.collect import collect
from ift_course.grading.written.entries import POINTS, SHEET, WRITTEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ift_course.grading.plan import GradingPlan
    from ift_course.grading.pool import GradingConfig, Job
    from ift_course.grading.results import Results, SubmissionLine, VerdictLine
    from ift_course.grading.submissions.layouts import LayoutHints
    from ift_course.grading.submissions.submission import Submission


@dataclass(frozen=True)
class Progress:
    """One submission that was graded: the number-th of the total.

    Attributes:
        student: The student's key.
        name: The student's name.
        number: Counted from 1.
        total: How many are graded in this run.
        before: The earlier verdicts, by check.
        after: The new verdicts, by check.
    """

    student: str
    name: str
    number: int
    total: int
    before: dict[str, VerdictLine]
    after: dict[str, VerdictLine]


def grade_class(
    root: Path,
    out: Path,
    config: GradingConfig,
    *,
    jobs: int = 1,
    allow_exposed_checks: bool = False,
    hints: LayoutHints | None = None,
    on_done: Callable[[Progress], None] = lambda progress: None,
) -> Results:
    """Runs the checks that have not been run on these submissions; adds to `out/results.jsonl`.

    Args:
        root: The folder or archive of submissions.
        out: The folder of the gradebook.
        config: The checks and the limits.
        jobs: Submissions at a time.
        allow_exposed_checks: Run hidden checks even where student code could read files.
        hints: What the instructor says about the layout of the submissions.
        on_done: Called after each submission.

    Raises:
        CourseError: Nothing was handed in, the layout of the submissions is in doubt, a hidden
            check fails on the course's own solution, or this machine cannot keep the hidden checks
            hidden.
    """
    plan = config.plan
    reference.verify(plan)
    collection = collect(root, plan.lesson, plan.functions, hints, skip=out)
    account = collection.account(str(root.resolve()))
    with ResultsFile(out / RESULTS) as file:
        waiting = todo(plan, collection.submissions, file.results)
        if file.results.plan != (plan_line := plan.line()):
            file.add([plan_line])
        if file.results.accounts.get(account["root"]) != account:
            file.add([account])
        config = replace(
            config,
            hidden=(*config.hidden, *plan.secret_paths, root, out),
            preload=modules_to_preload([*plan.check_sources, *(x.data for x, _ in waiting)]),
        )
        if any(check.hidden for _, check in plan.checks) and not allow_exposed_checks and waiting:
            _demand_secrecy(config)
        isolation.forbid_inspection()
        own_files = _instructor_files(out)
        descriptions = {x.student: x.description() for x in collection.submissions}
        exposed = False
        graded = grade_all(waiting, config, jobs, len(waiting))
        for number, (verdicts, submission) in enumerate(graded, 1):
            submission = _described(submission, descriptions, account["root"])
            layers = set(submission["rungs"])  # none where no student's code was run
            exposed = exposed or bool(layers and not FILE_LAYERS & layers)
            progress = _progress(submission, verdicts, file.results, number, len(waiting))
            file.add([*verdicts, submission])
            on_done(progress)
        file.add(_changed_descriptions(file.results, descriptions, account["root"]))
        _demand_own_files(out, own_files, exposed)
        return file.results


def _described(
    line: SubmissionLine, descriptions: dict[str, dict[str, object]], root: str
) -> SubmissionLine:
    """The line with what the collection knows of the submission."""
    return cast("SubmissionLine", line | descriptions[line["student"]] | {"root": root})


def _progress(
    submission: SubmissionLine,
    verdicts: list[VerdictLine],
    results: Results,
    number: int,
    total: int,
) -> Progress:
    student = submission["student"]
    after = {line["check"]: line for line in verdicts}
    keys = {check: (student, check) for check in after}
    known = results.verdicts
    before = {check: known[key] for check, key in keys.items() if key in known}
    return Progress(student, submission["name"], number, total, before, after)


def _instructor_files(out: Path) -> dict[str, bytes | None]:
    """What the grades depend on besides the results: the contents of the instructor's own files."""
    names = (ROSTER, OVERRIDES, POLICY, f"{WRITTEN}/{POINTS}", f"{WRITTEN}/{SHEET}")
    paths = [out / name for name in names]
    return {path.name: path.read_bytes() if path.is_file() else None for path in paths}


def _demand_own_files(out: Path, before: dict[str, bytes | None], exposed: bool) -> None:
    """Raises CourseError if the instructor's files changed while student code could write files."""
    after = _instructor_files(out)
    changed = [name for name, content in after.items() if before[name] != content]
    if exposed and changed:
        raise CourseError(
            f"{', '.join(changed)} in {out} changed while student code ran that could write files "
            "here; inspect it, and run the same command again."
        )


def todo(plan: GradingPlan, submissions: Iterable[Submission], results: Results) -> list[Job]:
    """The submissions with the ids of the checks that are still to be run on each.

    All of it is in this process's memory before any student's code runs, so that none can change
    or take away the work of another.

    Args:
        plan: The lesson's checks.
        submissions: What was handed in.
        results: The verdicts so far.
    """
    return [(x, checks) for x in submissions if (checks := missing_checks(plan, x, results))]


def missing_checks(plan: GradingPlan, submission: Submission, results: Results) -> list[str]:
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


def _changed_descriptions(
    results: Results, descriptions: dict[str, dict[str, object]], root: str
) -> list[SubmissionLine]:
    """The lines of submissions whose content is the same, but not a date, a flag or a name."""
    lines = [results.submissions[student] for student in descriptions]
    described = [_described(line, descriptions, root) for line in lines]
    return [new for old, new in zip(lines, described, strict=True) if new != old]


def _demand_secrecy(config: GradingConfig) -> None:
    layers = active_layers(config)
    if not FILE_LAYERS & set(layers):
        raise CourseError(
            "Hidden checks would not stay hidden: on this machine student code can read files "
            f"(only {', '.join(layers)} hold). Install bubblewrap, or use Linux 5.13 or newer; "
            "--allow-exposed-checks grades all the same."
        )


def active_layers(config: GradingConfig | None = None) -> list[str]:
    """The layers of the sandbox that work on this machine.

    Args:
        config: Which layers to try; None for all.
    """
    layers, bubblewrap = (config.layers, config.bubblewrap) if config else (LAYERS, None)
    with Sandbox(layers=layers, bubblewrap=bubblewrap) as sandbox:
        return sandbox.new_worker().layers
