"""A mistake in one of the world's YAML files is one sentence that names the file and the entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ift_course.errors import CourseError
from ift_course.world import loader, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WORDINGS = {"statements": frozenset({"s", "o"}), "inputs": frozenset[str]()}
GOOD = """
- name: capital
  statements: ["The capital of {s} is {o}.", "{o} is the capital of {s}."]
  inputs: ["Name the capital of this country."]
"""


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], int]]:
    """Write the text to `wordings.yaml` in the folder that the loader reads."""
    monkeypatch.setattr(loader, "PACKAGE", tmp_path)
    loader.read_yaml.cache_clear()
    (tmp_path / "world").mkdir()
    path = tmp_path / "world" / "wordings.yaml"
    yield lambda text: path.write_text(text, encoding="utf-8")
    loader.read_yaml.cache_clear()


def read() -> list[dict]:
    return loader.read_entries("wordings.yaml", ("name",), WORDINGS)


def test_entries_have_the_fields_and_the_order_of_the_file(write):
    write(GOOD + GOOD.replace("capital", "ally"))
    entries = read()
    assert [entry["name"] for entry in entries] == ["capital", "ally"]
    assert entries[0] == {
        "name": "capital",
        "statements": ("The capital of {s} is {o}.", "{o} is the capital of {s}."),
        "inputs": ("Name the capital of this country.",),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("name: capital", "name: [capital"), "not valid YAML.*line"),
        (GOOD + GOOD, 'wordings.yaml, entry "capital" is there twice'),
        (GOOD.replace("inputs:", "input:"), 'entry "capital" lacks .*input, inputs'),
        (GOOD.replace("name: capital", "name: true"), "name must be text; put True in quotes"),
        (GOOD.replace('["Name the capital of this country."]', "[no]"), "inputs must be text"),
        (GOOD.replace('["Name the capital of this country."]', "[]"), "inputs must be a list"),
        (GOOD.replace("this country", "{s}"), r"inputs must not use \{s\}"),
        (GOOD.replace("is {o}", "is {o"), "statements has a wording that cannot be filled in"),
        ("capital: Paris", "wordings.yaml must be a list"),
        ("- capital", "wordings.yaml, entry 1 must be a mapping"),
    ],
)
def test_a_mistake_in_an_entry_is_named(write, text: str, message: str) -> None:
    write(text)
    with pytest.raises(CourseError, match=message):
        read()


def test_a_missing_file_or_section_is_named(write):
    with pytest.raises(CourseError, match=r"wordings\.yaml is missing"):
        read()
    write("words: [a, b]")
    assert loader.read_section("wordings.yaml", "words") == ["a", "b"]
    with pytest.raises(CourseError, match=r'wordings\.yaml needs the section "people"'):
        loader.read_section("wordings.yaml", "people")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["France", "Paris"], ["Spain"]], r"rows, row 2 \(Spain\) has 1 cells instead of 2"),
        ([["France", "Paris"], ["France", "Lyon"]], "two rows for France"),
        ([["Norway", False]], "rows, row 1 must be text; put False in quotes"),
    ],
)
def test_a_mistake_in_a_table_is_named(rows: list[list], message: str) -> None:
    data = {"columns": ["country", "capital"], "rows": rows}
    with pytest.raises(CourseError, match=f"entities.yaml, countries.*{message}"):
        tables.read_table(data, "entities.yaml, countries")


def test_every_column_of_a_table_is_a_relation():
    from ift_course.world.relations import RELATION_BY_NAME

    columns = [name for table in tables.TABLES.values() for name in table.relations]
    assert len(columns) == len(set(columns))
    assert set(columns) <= set(RELATION_BY_NAME)
