"""The grades of a class: a pure function of the results, the roster, the policy and the overrides.

All four lie in the folder of the gradebook, so rendering it twice gives the same bytes.
"""

import csv
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ift_course.errors import CourseError
from ift_course.grading.results import Line, Results, read

ROSTER, OVERRIDES, POLICY, RESULTS = "roster.csv", "overrides.csv", "policy.json", "results.jsonl"
BLANK = {"status": "not graded", "seconds": 0, "number": 0, "mask": None} | dict.fromkeys(
    ("message", "given", "expected", "got", "line", "advice"), ""
)
# Any of these may name a submission.
KEYS = "student canvas_id moodle_id sis_id login github email name".split()
# What learning platforms call these columns in their exports.
ALIASES = {
    "full_name": "name", "email_address": "email", "e-mail": "email", "username": "login",
    "sid": "sis_id", "student_id": "sis_id", "id_number": "sis_id", "sis_user_id": "sis_id",
    "sis_login_id": "login", "github_username": "github", "identifier": "moodle_id",
    "team": "group", "group_name": "group", "groups": "group",
}  # fmt: skip
NO_PERSON = re.compile(r"\s*points possible.*|student, test|test student", re.IGNORECASE)


class Policy(BaseModel):
    """What late work loses. due: an ISO time with its zone; percentages of the points earned."""

    model_config = ConfigDict(extra="forbid")
    due: datetime | None = None
    grace_minutes: float = Field(default=0, ge=0)
    percent_per_day: float = Field(default=10, ge=0, le=100)
    percent_at_most: float = Field(default=100, ge=0, le=100)

    def days_late(self, submitted: str, flagged: bool) -> int:
        """Begun days after the due time and its grace; a mark of the download's alone counts 1."""
        when = _time(submitted)
        if self.due is None or (when is None and not flagged):
            return 0
        if when is None:
            return 1
        due = self.due if self.due.tzinfo else self.due.replace(tzinfo=timezone.utc)
        over = when - due - timedelta(minutes=self.grace_minutes)
        return max(0, math.ceil(over / timedelta(days=1)))

    def loss(self, days: int) -> float:
        """The share of the points that is lost, from 0 to 1."""
        return min(days * self.percent_per_day, self.percent_at_most) / 100


@dataclass
class CheckGrade:
    """One check of one student. line: the verdict, `BLANK` if there is none."""

    id: str
    title: str
    worth: float
    hidden: bool
    line: Line
    earned: float = 0
    override: str = ""

    @property
    def status(self) -> str:
        return self.line["status"]

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
    """One exercise of one student."""

    id: str
    title: str
    checks: list[CheckGrade]
    set_to: float | None = None
    override: str = ""

    @property
    def worth(self) -> float:
        return sum(x.worth for x in self.checks)

    @property
    def earned(self) -> float:
        return sum(x.earned for x in self.checks) if self.set_to is None else self.set_to

    @property
    def advice(self) -> list[str]:
        """Of the misconceptions that were recognized in public checks, each once."""
        said = (x.line["advice"] for x in self.checks if not x.hidden)
        return list(dict.fromkeys(x for x in said if x))


@dataclass
class Grade:
    """One student.

    Attributes:
        student: The key.
        person: The row of the roster.
        line: What was handed in, empty if nothing; of a group, the same for every member.
        exercises: The grades of each.
        flags: What the instructor should look at.
    """

    student: str
    person: dict[str, str]
    line: Line
    exercises: list[ExerciseGrade]
    days_late: int = 0
    loss: float = 0
    set_to: float | None = None
    overrides: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.person.get("name") or self.line.get("name") or self.student

    @property
    def worth(self) -> float:
        return sum(x.worth for x in self.exercises)

    @property
    def earned(self) -> float:
        """Before what lateness takes."""
        return sum(x.earned for x in self.exercises)

    @property
    def total(self) -> float:
        return round(self.earned * (1 - self.loss) if self.set_to is None else self.set_to, 2)

    @property
    def checks(self) -> list[CheckGrade]:
        return [check for exercise in self.exercises for check in exercise.checks]

    @property
    def status(self) -> str:
        if not self.line:
            return "missing"
        found = {x.status for x in self.checks if not x.override}
        if "needs review" in found:
            return "needs review"
        return "incomplete" if "not graded" in found else "graded"

    @property
    def seconds(self) -> float:
        return sum(x.line["seconds"] for x in self.checks)

    def passed(self, hidden: bool) -> tuple[int, int]:
        """(passed, all) of the public or of the hidden checks."""
        chosen = [x for x in self.checks if x.hidden == hidden]
        return sum(x.status == "passed" for x in chosen), len(chosen)


@dataclass
class Gradebook:
    """The class.

    Attributes:
        plan: The line of the results that lists the checks.
        grades: By student.
        policy: What late work loses.
        accounts: For each folder of submissions, what became of every file.
    """

    plan: Line
    grades: list[Grade]
    policy: Policy
    accounts: list[Line] = field(default_factory=list)

    @property
    def worth(self) -> float:
        return sum(check["worth"] for x in self.plan["exercises"] for check in x["checks"])

    def find(self, who: str) -> Grade:
        """The grade of a student named by key, name, email or id. Raises CourseError."""
        wanted = who.casefold()
        for grade in self.grades:
            names = {grade.student, grade.name, *(grade.person.get(key, "") for key in KEYS)}
            if wanted in {x.casefold() for x in names if x}:
                return grade
        known = ", ".join(x.student for x in self.grades[:20])
        raise CourseError(f"No student is called {who!r}; the first are: {known}.")


def load(folder: Path) -> Gradebook:
    """The gradebook in a folder.

    Raises:
        CourseError: nothing was graded there, or a roster, policy or override cannot be understood.
    """
    results = read(folder / RESULTS)
    if not results.plan:
        raise CourseError(f"Nothing has been graded into {folder} yet; ift grade does that.")
    policy = read_policy(folder)
    people = read_roster(folder / ROSTER) if (folder / ROSTER).is_file() else None
    grades = list(_grades(results, people, policy))
    accounts = [results.accounts[root] for root in sorted(results.accounts)]
    book = Gradebook(results.plan, sorted(grades, key=lambda x: x.student), policy, accounts)
    if (folder / OVERRIDES).is_file():
        _override(book, folder / OVERRIDES)
    return book


def read_policy(folder: Path) -> Policy:
    """The late policy in a folder; without one, lateness costs nothing."""
    path = folder / POLICY
    if not path.is_file():
        return Policy()
    try:
        return Policy(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, ValidationError) as error:
        raise CourseError(f"{path} is no late policy: {error}") from None


def read_roster(path: Path) -> list[dict[str, str]]:
    """The people of a roster, or of what Canvas, Moodle or Gradescope export as one.

    Raises:
        CourseError: There is no column that names a student, or one is there twice.
    """
    return _roster(path)[0]


def left_out_of_roster(path: Path) -> list[str]:
    """The rows of a roster that stand for no person, as Canvas's "Points Possible"."""
    return _roster(path)[1]


def _roster(path: Path) -> tuple[list[dict[str, str]], list[str]]:
    people, left_out = [], []
    seen: set[str] = set()
    for number, row in _rows(path, set()):
        person = _person(row)
        if "student" not in person:
            columns = ", ".join(row)
            raise CourseError(f"{path} has no column student; it has: {columns}.")
        if NO_PERSON.fullmatch(row.get("student", "")) or not person["student"]:
            left_out.append(row.get("student") or f"row {number}")
            continue
        if person["student"] in seen:
            raise CourseError(f"{path}, row {number}: {person['student']!r} is there twice.")
        seen.add(person["student"])
        people.append(person)
    return people, left_out


def _person(row: dict[str, str]) -> dict[str, str]:
    """A row with our names of the columns; "student" is what names a person best."""
    person = {ALIASES.get(name, name): value for name, value in row.items()}
    if "name" not in person and "last_name" in person:
        person["name"] = f"{person.get('first_name', '')} {person['last_name']}".strip()
    if "moodle_id" in person:
        person["moodle_id"] = person["moodle_id"].removeprefix("Participant ").strip()
    canvas = {"student", "id"} <= set(row) and {"section", "sis_login_id"} & set(row)
    if canvas:  # in Canvas's gradebook the column Student holds the name
        person |= {"canvas_id": row["id"], "name": row["student"]}
        person.pop("student")
    keys = ("login", "email", "sis_id", "canvas_id", "moodle_id")
    if "student" not in person and any(key in person for key in keys):
        person["student"] = next((person[x] for x in keys if person.get(x)), "")
    return person


def same(name: str) -> str:
    """A name without what platforms change in it: case, blanks, punctuation."""
    return "".join(x for x in name.casefold() if x.isalnum()) or name.casefold()


def _rows(path: Path, needed: set[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """(row number in the file, row) with the names of the columns in lower case."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            # Excel writes semicolons where the comma is the decimal point.
            reader = csv.DictReader(
                file, delimiter=";" if head.count(";") > head.count(",") else ","
            )
            names = [(x or "").strip().lower().replace(" ", "_") for x in reader.fieldnames or []]
            if lacking := needed - set(names):
                raise CourseError(
                    f"{path} has no column {', '.join(sorted(lacking))}; "
                    f"it has: {', '.join(names)}."
                )
            reader.fieldnames = names
            for row in reader:
                yield reader.line_num, {k: (v or "").strip() for k, v in row.items() if k}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CourseError(f"{path} cannot be read as CSV in UTF-8: {error}.") from None


def _grades(
    results: Results, people: list[dict[str, str]] | None, policy: Policy
) -> Iterator[Grade]:
    roster = _Roster(people or [])
    handed_in: dict[str, list[tuple[dict[str, str], str]]] = {}
    for key, line in results.submissions.items():
        if not results.is_stale(key):
            for person in roster.behind(key, line):
                handed_in.setdefault(person.get("student", key), []).append((person, key))
    for student, sources in handed_in.items():
        person, keys = sources[0][0], [key for _, key in sources]
        flags = _conflict(student, person, keys)
        key = max(keys, key=lambda x: _merit(results, x))
        line = results.submissions[key]
        submitted = person.get("submitted") or line["submitted"]
        days = policy.days_late(submitted, line["late"])
        flags += [f"{key} counts."] if flags else []
        grade = Grade(student, person, line, _exercises(results, key), days, policy.loss(days))
        if people and not person.get("student"):
            flags.append("It matches nobody on the roster.")
        grade.flags = [*line.get("flags", []), *flags]
        yield grade
    for person in people or []:
        if person["student"] not in handed_in:
            yield Grade(person["student"], person, {}, _exercises(results, None))


def _conflict(student: str, person: dict[str, str], keys: list[str]) -> list[str]:
    """A flag if a group handed in twice. Of one person's two submissions none may be chosen."""
    if len(keys) == 1:
        return []
    if not person.get("group"):
        raise CourseError(
            f"Two submissions belong to {student!r} of the roster, {keys[0]!r} and {keys[1]!r}; "
            "take one out of the folder and grade again."
        )
    return [f"Group {person['group']} handed in {len(keys)} times: {', '.join(sorted(keys))}."]


def _merit(results: Results, key: str) -> tuple:
    """The later submission of a group counts; where no time is known, the better one."""
    when = _time(results.submissions[key]["submitted"])
    earned = sum(
        line["points"]
        for (student, _), line in results.verdicts.items()
        if student == key and line["status"] == "passed"
    )
    return (when.timestamp() if when else 0, earned, key)


class _Roster:
    """Who is behind a submission."""

    def __init__(self, people: list[dict[str, str]]) -> None:
        self._owners: dict[str, dict[str, str]] = {}
        self._groups: dict[str, list[dict[str, str]]] = {}
        for person in people:
            names = {person[key].casefold(): person for key in reversed(KEYS) if person.get(key)}
            self._owners |= names
            if person.get("group"):
                self._groups.setdefault(same(person["group"]), []).append(person)
        names = [(same(x["name"]), x) for x in people if x.get("name")]
        self._names = {name: person for name, person in names if name not in self._owners}

    def behind(self, key: str, line: Line) -> list[dict[str, str]]:
        """The people whose work a submission is; one empty row if the roster knows none."""
        members = [self._member(x) for x in line.get("members", [])]
        if members:
            return members
        person = self._owner(key) or self._owner(line["name"])
        group = (person or {}).get("group") or next(
            (x for x in (key, line["name"]) if same(x) in self._groups), ""
        )
        if group:
            return self._groups[same(group)]
        return [person or {}]

    def _owner(self, name: str) -> dict[str, str] | None:
        return self._owners.get(name.casefold()) or self._names.get(same(name))

    def _member(self, member: dict[str, str]) -> dict[str, str]:
        """The roster's row of somebody whom the platform names, or a row made of that."""
        names = [member.get(x, "") for x in ("email", "sis_id", "name")]
        known = [person for x in names if x and (person := self._owner(x))]
        return known[0] if known else {"student": next((x for x in names if x), ""), **member}


def _exercises(results: Results, student: str | None) -> list[ExerciseGrade]:
    exercises = []
    for exercise in results.plan["exercises"]:
        checks = []
        for check in exercise["checks"]:
            line = BLANK | results.verdicts.get((student, check["id"]), {})
            grade = CheckGrade(check["id"], check["title"], check["worth"], check["hidden"], line)
            grade.earned = check["worth"] if grade.status == "passed" else 0
            checks.append(grade)
        exercises.append(ExerciseGrade(exercise["id"], exercise["title"], checks))
    return exercises


def _override(book: Gradebook, path: Path) -> None:
    """student,what,points,reason: `what` is a check, an exercise, "total", or "days late"."""
    for number, row in _rows(path, {"student", "what", "points", "reason"}):
        try:
            grade, points = book.find(row["student"]), float(row["points"])
            if not math.isfinite(points):
                raise ValueError
        except ValueError:
            raise CourseError(f"{path}, row {number}: {row['points']!r} is no number.") from None
        except CourseError as error:
            raise CourseError(f"{path}, row {number}: {error}") from None
        what, said = row["what"], row["reason"] or "by the instructor"
        exercise = next((x for x in grade.exercises if x.id == what), None)
        check = next((x for x in grade.checks if x.id == what), None)
        if what == "total":
            grade.set_to = points
        elif what == "days late":
            grade.days_late, grade.loss = int(points), book.policy.loss(int(points))
        elif exercise:
            exercise.set_to, exercise.override = points, said
        elif check:
            check.earned, check.override = points, said
        else:
            raise CourseError(
                f"{path}, row {number}: {what!r} is no check and no exercise of this lesson, "
                "nor total, nor days late."
            )
        grade.overrides.append(f"{what} set to {points:g}: {said}")


def _time(text: str) -> datetime | None:
    """An ISO time, also with "Z" or " UTC"; one without a zone is UTC. None if it is no time."""
    try:
        when = datetime.fromisoformat(text.strip().replace(" UTC", "+00:00").replace("Z", "+00:00"))
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=timezone.utc)
