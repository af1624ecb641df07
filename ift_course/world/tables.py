"""Everything that exists in the closed world, read from `entities.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ift_course.errors import CourseError
from ift_course.world.loader import mapping, read_section, sequence, text, text_lists, texts

FILE = "entities.yaml"


@dataclass(frozen=True)
class Table:
    """Subjects in the first column, and what is true of them in the others.

    Attributes:
        columns: The kind of subject, then one relation per column.
        rows: One subject per row, as many cells as columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def relations(self) -> tuple[str, ...]:
        """Names of the relations that the table has values for."""
        return self.columns[1:]

    def values(self, relation: str) -> dict[str, str]:
        """Subject → value of one of the table's relations."""
        column = self.columns.index(relation)
        return {row[0]: row[column] for row in self.rows}


def read_table(data: Any, where: str) -> Table:
    """The table that a mapping with `columns` and `rows` describes.

    Args:
        data: Parsed YAML.
        where: Name of the table in an error message.

    Raises:
        CourseError: A cell is not text, a row has too few or too many cells, or a subject has two.
    """
    fields = mapping(data, where)
    columns = texts(fields.get("columns"), f"{where}, columns")
    rows = _read_rows(fields.get("rows"), len(columns), f"{where}, rows")
    subjects = [row[0] for row in rows]
    repeated = {subject for subject in subjects if subjects.count(subject) > 1}
    if repeated:
        raise CourseError(f"{where} has two rows for {', '.join(sorted(repeated))}; remove one.")
    return Table(columns, rows)


def _read_rows(data: Any, width: int, where: str) -> tuple[tuple[str, ...], ...]:
    rows = []
    for number, raw in enumerate(sequence(data, where), start=1):
        row = texts(raw, f"{where}, row {number}")
        if len(row) != width:
            raise CourseError(
                f"{where}, row {number} ({', '.join(row)}) has {len(row)} cells instead of {width}."
            )
        rows.append(row)
    return tuple(rows)


def _read_also_right() -> dict[tuple[str, str], tuple[str, ...]]:
    where = f"{FILE}, also_right"
    relations = mapping(read_section(FILE, "also_right"), where)
    return {
        (relation, subject): values
        for relation, subjects in relations.items()
        for subject, values in text_lists(subjects, f"{where}, {relation}").items()
    }


def _read_pronouns() -> dict[str, str]:
    where = f"{FILE}, characters"
    characters = mapping(read_section(FILE, "characters"), where)
    return {text(name, where): text(word, f"{where}, {name}") for name, word in characters.items()}


TABLES: dict[str, Table] = {
    name: read_table(data, f"{FILE}, {name}")
    for name, data in mapping(read_section(FILE, "tables"), f"{FILE}, tables").items()
}
OPPOSITES = _read_rows(read_section(FILE, "opposites"), 2, f"{FILE}, opposites")
# Kind of thing → its members.
CATEGORIES = text_lists(read_section(FILE, "categories"), f"{FILE}, categories")
# "day" and "month" → their names in order; the last one is followed by the first.
CYCLES = text_lists(read_section(FILE, "cycles"), f"{FILE}, cycles")
DAYS = CYCLES["day"]

_PEOPLE = mapping(read_section(FILE, "people"), f"{FILE}, people")
FIRST_NAMES = texts(_PEOPLE.get("first_names"), f"{FILE}, people, first_names")
LAST_NAMES = texts(_PEOPLE.get("last_names"), f"{FILE}, people, last_names")
# Relation → the values it is drawn from, in the order of the draws.
PERSON_ATTRIBUTES = text_lists(_PEOPLE.get("attributes"), f"{FILE}, people, attributes")

# First names that no invented person of the world has → "She" or "He".
PRONOUNS = _read_pronouns()
CHARACTERS = tuple(PRONOUNS)
UNKNOWN_PEOPLE = texts(read_section(FILE, "unknown_people"), f"{FILE}, unknown_people")
# (relation, subject) → values that are right as well, although the world's own texts use another.
ALSO_RIGHT = _read_also_right()
