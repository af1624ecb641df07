"""Answers that must be JSON of a given schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import regex

from ift_course.data.fields import quoted
from ift_course.data.records import BadRow

FENCE = re.compile(r"```(?:json)?[ \t]*\n(?P<inside>.*)\n[ \t]*```", re.DOTALL | re.IGNORECASE)


def open_schema(schema: Mapping[str, Any], seconds: float) -> Any:
    """Return a validator of `jsonschema` whose patterns cannot hang.

    Args:
        schema: A JSON schema, of the draft 2020-12 if it names none.
        seconds: The time that each search of a pattern may take.

    Raises:
        BadRow: The schema is not valid, or refers to something outside or to nothing.
    """
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, extend, validator_for
    from referencing import Registry

    draft: Any = validator_for(schema, default=Draft202012Validator)
    try:
        draft.check_schema(schema, draft.FORMAT_CHECKER)
    except SchemaError as error:
        place = "".join(f'["{name}"]' for name in error.absolute_path)
        raise _bad_schema(f"schema{place} is not valid ({error.message[:200]})") from None
    except RecursionError:
        raise _bad_schema("the schema is nested too deeply") from None
    _refuse_slow_keywords(schema)
    _refuse_bad_references(schema)
    # An empty registry, so that no reference reaches for the network.
    limited = extend(draft, {"pattern": _limited_pattern(seconds)})
    validator = limited(dict(schema), registry=Registry())
    try:
        validator.is_valid(None)
    except RecursionError:
        raise _bad_schema('"$ref" leads back to itself') from None
    return validator


def json_fault(validator: Any, text: str) -> str | None:
    """Return why an answer is not JSON of the schema, or None if it is.

    Args:
        validator: A result of `open_schema`.
        text: The answer; a code fence around the whole of it is taken off.
    """
    from jsonschema.exceptions import best_match

    fenced = FENCE.fullmatch(text.strip())
    try:
        value = json.loads(fenced["inside"] if fenced else text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return "is not JSON"
    try:
        error = best_match(validator.iter_errors(value))
    except TimeoutError:
        return "could not be checked in time: simplify the patterns of the row's schema"
    except RecursionError:
        return "is nested too deeply"
    return error and f"breaks the schema at {error.json_path}: {quoted(error.message)[1:-1]}"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _bad_schema(fault: str) -> BadRow:
    return BadRow(f'"verifier": {fault}; see json-schema.org for the format')


def _limited_pattern(seconds: float) -> Any:
    """The keyword "pattern", with a search that gives up after some seconds."""
    from jsonschema.exceptions import ValidationError

    def check(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
        if isinstance(value, str) and not regex.search(pattern, value, timeout=seconds):
            yield ValidationError(f"{value!r} does not match {pattern!r}")

    return check


def _refuse_slow_keywords(schema: Any) -> None:
    """Refuse patterns of property names, whose search `jsonschema` does not let us limit."""
    if any("patternProperties" in node for node in _objects(schema)):
        raise _bad_schema('"patternProperties" is not supported, name the properties instead')


def _refuse_bad_references(schema: Mapping[str, Any]) -> None:
    from referencing import Registry, Resource
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    resource = Resource.from_contents(dict(schema), default_specification=DRAFT202012)
    address = resource.id() or ""
    resolver = Registry().with_resource(address, resource).resolver(address)
    for node in _objects(schema):
        reference = node.get("$ref")
        if not isinstance(reference, str):
            continue
        try:
            resolver.lookup(reference)
        except Unresolvable:
            raise _bad_schema(
                f'"$ref": {quoted(reference)} leads nowhere; put the definition into the schema'
            ) from None


def _objects(node: Any) -> Iterator[Mapping[str, Any]]:
    """All objects inside a schema, the schema itself first."""
    if isinstance(node, Mapping):
        yield node
    children = node.values() if isinstance(node, Mapping) else node
    if isinstance(node, (Mapping, list)):
        for child in children:
            yield from _objects(child)
