"""The grades of a class, a pure function of files in the folder of the gradebook.

They are the results, the roster, the policy, the overrides, and the points of written answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ift_course.errors import CourseError
from ift_course.grading.csv_rows import read_rows
from ift_course.grading.late_policy import POLICY, LatePolicy, parse_time, read_policy
from ift_course.grading.results import Results, read
from ift_course.grading.roster import KEYS, ROSTER, Roster, read_roster
from ift_course.grading.written import entries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ift_course.grading.results import AccountLine, Mask, PlanLine, SubmissionLine, VerdictLine
    from ift_course.grading.roster import Person

__all__ = ["OVERRIDES", "POLICY", "RESULTS", "ROSTER", "Gradebook", "StudentGrade", "load"]

OVERRIDES, RESULTS = "overrides.csv", "results.jsonl"


@dataclass(frozen=True)
class Outcome:
    """What came of one check, as the results say it; the fields are those of `VerdictLine`."""

    status: str = "not graded"
    message: str = ""
    given: str = ""
    expected: str = ""
    got: str = ""
    line: str = ""
    number: int = 0
    mask: Mask | None = None
    advice: str = ""
    seconds: float = 0


NO_VERDICT = Outcome()


@dataclass
class CheckGrade:
    """One check of one student.

    Attributes:
        id: Of the check.
        title: Of the check.
        points: What the check is worth.
        hidden: Whether students do not see it.
        outcome: `NO_VERDICT` if there is none.
        earned: Points.
        override: The instructor's reason for other points; empty without one.
        written: Whether people mark it.
    """

    id: str
    title: str
    points: float
    hidden: bool
    outcome: Outcome
    earned: float = 0
    override: str = ""
    written: bool = False

    @property
    def status(self) -> str:
        """The full status, for the instructor."""
        return self.outcome.status

    @property
    def status_for_student(self) -> str:
        """What a student may know of it: of a hidden check, only whether it passed.

        Student code sees a hidden check's input, so each further status would be a way to tell
        about it: code can raise, crash or hang as it chooses.
        """
        if self.hidden and self.status != "passed":
            return "not passed"
        return self.status


@dataclass
class ExerciseGrade:
    """One exercise of one student.

    Attributes:
        id: Of the exercise.
        title: Of the exercise.
        checks: Its checks.
        set_to: The points that the instructor gave instead of those of the checks.
        override: The reason for that.
    """

    id: str
    title: str
    checks: list[CheckGrade]
    set_to: float | None = None
    override: str = ""

    @property
    def points(self) -> float:
        """What the exercise is worth."""
        return sum(x.points for x in self.checks)

    @property
    def earned(self) -> float:
        """The points that the student earned."""
        return sum(x.earned for x in self.checks) if self.set_to is None else self.set_to

    @property
    def advice(self) -> list[str]:
        """Of the misconceptions that were recognized in public checks, each once."""
        texts = (x.outcome.advice for x in self.checks if not x.hidden)
        return list(dict.fromkeys(text for text in texts if text))


@dataclass
class StudentGrade:
    """One student.

    Attributes:
        student: The key.
        person: The row of the roster.
        submission: What was handed in, None if nothing; of a group, the same for every member.
        exercises: The grades of each.
        days_late: Begun days.
        loss: The share of the points that lateness takes, from 0 to 1.
        set_to: The total that the instructor gave instead.
        overrides: What the instructor changed, in words.
        flags: What the instructor should look at.
    """

    student: str
    person: Person
    submission: SubmissionLine | None
    exercises: list[ExerciseGrade]
    days_late: int = 0
    loss: float = 0
    set_to: float | None = None
    overrides: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The roster's name, or the platform's."""
        submitted_as = self.submission["name"] if self.submission else ""
        return self.person.get("name") or submitted_as or self.student

    @property
    def points(self) -> float:
        """What all exercises are worth."""
        return sum(x.points for x in self.exercises)

    @property
    def earned(self) -> float:
        """The points before what lateness takes."""
        return sum(x.earned for x in self.exercises)

    @property
    def total(self) -> float:
        """The points that count."""
        return round(self.earned * (1 - self.loss) if self.set_to is None else self.set_to, 2)

    @property
    def checks(self) -> list[CheckGrade]:
        """Those of all exercises."""
        return [check for exercise in self.exercises for check in exercise.checks]

    @property
    def status(self) -> str:
        """One of "missing", "needs review", "incomplete" and "graded"."""
        if not self.submission:
            return "missing"
        statuses = {x.status for x in self.checks if not x.override}
        if "needs review" in statuses:
            return "needs review"
        return "incomplete" if "not graded" in statuses else "graded"

    @property
    def notes(self) -> list[str]:
        """For the student, about what happened."""
        return self.submission["notes"] if self.submission else []

    @property
    def seconds(self) -> float:
        """How long the checks took."""
        return sum(x.outcome.seconds for x in self.checks)

    def passed(self, hidden: bool) -> tuple[int, int]:
        """(passed, all) of the public or of the hidden checks that a program runs."""
        checks = [x for x in self.checks if x.hidden == hidden and not x.written]
        return sum(x.status == "passed" for x in checks), len(checks)


@dataclass
class Gradebook:
    """The class.

    Attributes:
        plan: The line of the results that lists the checks.
        grades: By student.
        policy: What late work loses.
        accounts: For each folder of submissions, what became of every file.
    """

    plan: PlanLine
    grades: list[StudentGrade]
    policy: LatePolicy
    accounts: list[AccountLine] = field(default_factory=list)

    @property
    def points(self) -> float:
        """What all checks are worth."""
        return sum(check["worth"] for x in self.plan["exercises"] for check in x["checks"])

    def find(self, who: str) -> StudentGrade:
        """The grade of a student.

        Args:
            who: The student's key, name, email or id.

        Raises:
            CourseError: There is no such student.
        """
        name = who.casefold()
        for grade in self.grades:
            names = {grade.student, grade.name, *(grade.person.get(key, "") for key in KEYS)}
            if name in {x.casefold() for x in names if x}:
                return grade
        known = ", ".join(x.student for x in self.grades[:20])
        raise CourseError(f"No student is called {who!r}; the first are: {known}.")


def load(folder: Path) -> Gradebook:
    """The gradebook in a folder.

    Args:
        folder: That `ift grade` wrote to.

    Raises:
        CourseError: Nothing was graded there, or a roster, policy, override or the points of
            written answers are not valid.
    """
    results = read(folder / RESULTS)
    if not results.plan:
        raise CourseError(f"Nothing has been graded into {folder} yet; run ift grade first.")
    entries.add(results, folder)
    policy = read_policy(folder)
    people = read_roster(folder / ROSTER) if (folder / ROSTER).is_file() else None
    grades = list(_grades(results, results.plan, people, policy))
    accounts = [results.accounts[root] for root in sorted(results.accounts)]
    book = Gradebook(results.plan, sorted(grades, key=lambda x: x.student), policy, accounts)
    if (folder / OVERRIDES).is_file():
        _override(book, folder / OVERRIDES)
    return book


def _grades(
    results: Results, plan: PlanLine, people: list[Person] | None, policy: LatePolicy
) -> Iterator[StudentGrade]:
    """The grades of all who handed something in, and of those on the roster who did not."""
    roster = Roster(people or [])
    handed_in: dict[str, list[tuple[Person, str]]] = {}
    for key, line in results.submissions.items():
        if not results.is_stale(key):
            for person in roster.authors(key, line):
                handed_in.setdefault(person.get("student", key), []).append((person, key))
    for student, sources in handed_in.items():
        person, keys = sources[0][0], [key for _, key in sources]
        flags = _conflict(student, person, keys)
        key = max(keys, key=lambda x: _merit(results, x))
        line = results.submissions[key]
        submitted = person.get("submitted") or line["submitted"]
        days = policy.days_late(submitted, line["late"])
        flags += [f"{key} counts."] if flags else []
        exercises = _exercises(results, plan, key)
        grade = StudentGrade(student, person, line, exercises, days, policy.loss(days))
        if people and not person.get("student"):
            flags.append("It matches nobody on the roster.")
        grade.flags = [*line.get("flags", []), *flags]
        yield grade
    for person in people or []:
        if person["student"] not in handed_in:
            exercises = _exercises(results, plan, None)
            yield StudentGrade(person["student"], person, None, exercises)


def _conflict(student: str, person: Person, keys: list[str]) -> list[str]:
    """A flag if a group handed in twice. Of one person's two submissions none may be chosen."""
    if len(keys) == 1:
        return []
    if not person.get("group"):
        raise CourseError(
            f"Two submissions belong to {student!r} of the roster, {keys[0]!r} and {keys[1]!r}; "
            "take one out of the folder and grade again."
        )
    return [f"Group {person['group']} handed in {len(keys)} times: {', '.join(sorted(keys))}."]


def _merit(results: Results, key: str) -> tuple[float, float, str]:
    """The later submission of a group counts; where no time is known, the better one."""
    time = parse_time(results.submissions[key]["submitted"])
    earned = sum(
        line["points"]
        for (student, _), line in results.verdicts.items()
        if student == key and line["status"] == "passed"
    )
    return (time.timestamp() if time else 0, earned, key)


def _exercises(results: Results, plan: PlanLine, student: str | None) -> list[ExerciseGrade]:
    """The grades of a student's exercises.

    Args:
        results: With the verdicts.
        plan: The checks.
        student: The key of the submission; None if nothing was handed in.
    """
    exercises = []
    for exercise in plan["exercises"]:
        checks = []
        for check in exercise["checks"]:
            line = None if student is None else results.verdicts.get((student, check["id"]))
            outcome = _outcome(line)
            grade = CheckGrade(
                check["id"], check["title"], check["worth"], check["hidden"], outcome,
                written=check.get("written", False),
            )  # fmt: skip
            grade.earned = check["worth"] if grade.status == "passed" else 0
            if line and grade.written and grade.status == "marked":
                grade.earned = line["points"]
            checks.append(grade)
        exercises.append(ExerciseGrade(exercise["id"], exercise["title"], checks))
    return exercises


def _outcome(line: VerdictLine | None) -> Outcome:
    if line is None:
        return NO_VERDICT
    return Outcome(**{name: line[name] for name in vars(NO_VERDICT) if name in line})


def _override(book: Gradebook, path: Path) -> None:
    """Applies the instructor's own decisions.

    Args:
        book: Changed in place.
        path: A CSV file with the columns student, what, points and reason, where `what` is a check,
            an exercise, "total", or "days late".
    """
    for number, row in read_rows(path, {"student", "what", "points", "reason"}):
        try:
            grade, points = book.find(row["student"]), float(row["points"])
            if not math.isfinite(points):
                raise ValueError
        except ValueError:
            raise CourseError(f"{path}, row {number}: {row['points']!r} is not a number.") from None
        except CourseError as error:
            raise CourseError(f"{path}, row {number}: {error}") from None
        what, reason = row["what"], row["reason"] or "by the instructor"
        exercise = next((x for x in grade.exercises if x.id == what), None)
        check = next((x for x in grade.checks if x.id == what), None)
        if what == "total":
            grade.set_to = points
        elif what == "days late":
            grade.days_late, grade.loss = int(points), book.policy.loss(int(points))
        elif exercise:
            exercise.set_to, exercise.override = points, reason
        elif check:
            check.earned, check.override = points, reason
        else:
            raise CourseError(
                f"{path}, row {number}: {what!r} is neither a check nor an exercise of this "
                "lesson, nor total, nor days late."
            )
        grade.overrides.append(f"{what} set to {points:g}: {reason}")
