"""The people of a class, and whose work each submission is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ift_course.errors import CourseError
from ift_course.grading.csv_rows import read_rows
from ift_course.grading.names import plain_name

if TYPE_CHECKING:
    from pathlib import Path

    from ift_course.grading.results import SubmissionLine

    Person = dict[str, str]  # a row of the roster, with our names of the columns

ROSTER = "roster.csv"
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


def read_roster(path: Path) -> list[Person]:
    """The people of a roster, or of what Canvas, Moodle or Gradescope export as one.

    Args:
        path: Of the CSV file.

    Raises:
        CourseError: There is no column that names a student, or a student is there twice.
    """
    return _read(path)[0]


def rows_without_person(path: Path) -> list[str]:
    """The rows of a roster that stand for no person, such as Canvas's "Points Possible"."""
    return _read(path)[1]


def _read(path: Path) -> tuple[list[Person], list[str]]:
    people: list[Person] = []
    others: list[str] = []
    students: set[str] = set()
    for number, row in read_rows(path):
        person = _person(row)
        if "student" not in person:
            columns = ", ".join(row)
            raise CourseError(f"{path} has no column student; it has: {columns}.")
        if NO_PERSON.fullmatch(row.get("student", "")) or not person["student"]:
            others.append(row.get("student") or f"row {number}")
            continue
        if person["student"] in students:
            raise CourseError(f"{path}, row {number}: {person['student']!r} is there twice.")
        students.add(person["student"])
        people.append(person)
    return people, others


def _person(row: dict[str, str]) -> Person:
    """A row with our names of the columns; "student" is what names a person best."""
    person = {ALIASES.get(name, name): value for name, value in row.items()}
    if "name" not in person and "last_name" in person:
        person["name"] = f"{person.get('first_name', '')} {person['last_name']}".strip()
    if "moodle_id" in person:
        person["moodle_id"] = person["moodle_id"].removeprefix("Participant ").strip()
    is_canvas = {"student", "id"} <= set(row) and {"section", "sis_login_id"} & set(row)
    if is_canvas:  # in Canvas's gradebook the column Student holds the name
        person |= {"canvas_id": row["id"], "name": row["student"]}
        person.pop("student")
    keys = ("login", "email", "sis_id", "canvas_id", "moodle_id")
    if "student" not in person and any(key in person for key in keys):
        person["student"] = next((person[x] for x in keys if person.get(x)), "")
    return person


class Roster:
    """The people, found by whatever a platform calls them."""

    def __init__(self, people: list[Person]) -> None:
        """Indexes the people.

        Args:
            people: The rows of the roster.
        """
        self._people: dict[str, Person] = {}
        self._groups: dict[str, list[Person]] = {}
        for person in people:
            keys = {person[key].casefold(): person for key in reversed(KEYS) if person.get(key)}
            self._people |= keys
            if person.get("group"):
                self._groups.setdefault(plain_name(person["group"]), []).append(person)
        names = [(plain_name(x["name"]), x) for x in people if x.get("name")]
        self._names = {name: person for name, person in names if name not in self._people}

    def authors(self, key: str, line: SubmissionLine) -> list[Person]:
        """The people whose work a submission is; one empty row if the roster knows none.

        Args:
            key: Of the submission.
            line: Of the results.
        """
        members = [self._member(x) for x in line.get("members", [])]
        if members:
            return members
        person = self._find(key) or self._find(line["name"])
        group = (person or {}).get("group") or next(
            (x for x in (key, line["name"]) if plain_name(x) in self._groups), ""
        )
        if group:
            return self._groups[plain_name(group)]
        return [person or {}]

    def _find(self, name: str) -> Person | None:
        return self._people.get(name.casefold()) or self._names.get(plain_name(name))

    def _member(self, member: dict[str, str]) -> Person:
        """The roster's row of somebody whom the platform names, or a row made of that."""
        names = [member.get(x, "") for x in ("email", "sis_id", "name")]
        known = [person for x in names if x and (person := self._find(x))]
        return known[0] if known else {"student": next((x for x in names if x), ""), **member}
