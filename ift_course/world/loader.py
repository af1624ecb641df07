"""Read the world's YAML files; an error names the file, the entry and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from string import Formatter
from typing import Any, NoReturn

import yaml

from ift_course.errors import CourseError
from ift_course.paths import PACKAGE

# The parser in C is ten times as fast, and all but a few builds of PyYAML include it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def read_yaml(file: str) -> Any:
    """Content of a YAML file in `ift_course/world/`.

    Raises:
        CourseError: The file is missing or is not valid YAML.
    """
    path = PACKAGE / "world" / file
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)
    except FileNotFoundError:
        raise CourseError(f"{path} is missing; install ift_course again.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())  # PyYAML writes its message on several lines.
        raise CourseError(f"{path} is not valid YAML: {reason}") from None


def read_section(file: str, name: str) -> Any:
    """Content under one top-level key of a YAML file.

    Raises:
        CourseError: The file cannot be read or lacks the key.
    """
    return mapping(read_yaml(file), file).get(name) or _fail(file, f'needs the section "{name}"')


def read_entries(
    file: str, text_fields: tuple[str, ...], wordings: Mapping[str, frozenset[str]]
) -> list[dict[str, Any]]:
    """Entries of a file that is a list of named entries, in the file's order.

    Args:
        file: File in `ift_course/world/`.
        text_fields: Fields that hold one text; `name` is one of them.
        wordings: Fields that hold a list of wordings, each with the placeholders it may use.

    Returns:
        One dictionary per entry with exactly these fields: a text, or a tuple of texts.

    Raises:
        CourseError: An entry lacks a field, has an unknown one, repeats a name, or has a wording
            with an unknown placeholder.
    """
    entries: dict[str, dict[str, Any]] = {}
    for number, raw in enumerate(sequence(read_yaml(file), file), start=1):
        fields = mapping(raw, f"{file}, entry {number}")
        where = f'{file}, entry "{fields.get("name", number)}"'
        expected = {*text_fields, *wordings}
        if fields.keys() != expected:
            names = ", ".join(sorted(map(str, fields.keys() ^ expected)))
            _fail(where, f"lacks these fields or should not have them: {names}")
        entry: dict[str, Any] = {key: text(fields[key], f"{where}, {key}") for key in text_fields}
        for key, placeholders in wordings.items():
            entry[key] = texts(fields[key], f"{where}, {key}")
            for wording in entry[key]:
                _check_placeholders(wording, placeholders, f"{where}, {key}")
        if entry["name"] in entries:
            _fail(where, "is there twice; rename or remove one of the two")
        entries[entry["name"]] = entry
    return list(entries.values())


def text(data: Any, where: str) -> str:
    """The data if it is text; YAML reads an unquoted `true`, `no` or `12` as something else.

    Raises:
        CourseError: It is anything else.
    """
    return data if isinstance(data, str) else _fail(where, f"must be text; put {data} in quotes")


def texts(data: Any, where: str) -> tuple[str, ...]:
    """The data as a tuple if it is a list of texts that is not empty.

    Raises:
        CourseError: It is anything else.
    """
    items = tuple(sequence(data, where))
    for item in items:
        if not isinstance(item, str):  # The message is made only when needed: there are thousands.
            text(item, where)
    return items


def sequence(data: Any, where: str) -> list[Any]:
    """The data if it is a list that is not empty.

    Raises:
        CourseError: It is anything else.
    """
    is_filled_list = isinstance(data, list) and len(data) > 0
    return data if is_filled_list else _fail(where, "must be a list with at least one item")


def mapping(data: Any, where: str) -> dict[Any, Any]:
    """The data if it is a mapping that is not empty.

    Raises:
        CourseError: It is anything else.
    """
    is_filled_mapping = isinstance(data, dict) and len(data) > 0
    return data if is_filled_mapping else _fail(where, "must be a mapping with at least one key")


def text_lists(data: Any, where: str) -> dict[str, tuple[str, ...]]:
    """The data if it maps texts to lists of texts.

    Raises:
        CourseError: It is anything else.
    """
    items = mapping(data, where).items()
    return {text(key, where): texts(value, f"{where}, {key}") for key, value in items}


def _check_placeholders(wording: str, allowed: frozenset[str], where: str) -> None:
    try:
        names = {name for _, name, _, _ in Formatter().parse(wording) if name is not None}
    except ValueError as error:
        _fail(where, f'has a wording that cannot be filled in ("{wording}": {error})')
    if not names <= allowed:
        unknown = ", ".join(f"{{{name}}}" for name in sorted(names - allowed))
        _fail(where, f'must not use {unknown} in "{wording}"')


def _fail(where: str, problem: str) -> NoReturn:
    raise CourseError(f"{where} {problem}.")
