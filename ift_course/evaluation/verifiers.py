"""Verifiers: what a test row demands of an answer, so that a program can tell right from wrong.

A row names its own under the key "verifier", for example {"type": "number", "value": 42}.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from math import prod
from typing import Annotated, Any, Literal, TypeAlias

import regex
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from ift_course.data.fields import describe_type, join_names, parse_json_text, quoted
from ift_course.data.records import BadRow
from ift_course.evaluation.answer_text import contains_words, last_number, whole_answer
from ift_course.evaluation.verify_ifeval import Instruction, ifeval_fault, open_checkers
from ift_course.evaluation.verify_json import json_fault, open_schema

# `regex` writes counted repetitions out: (a{1000}){1000} takes 270 MB, and one level more all.
MAX_REPEATS = 100_000
COUNTS = re.compile(r"\{(\d+)?,?(\d+)?\}")
SECONDS = 1.0  # that a pattern may search one answer; a catastrophic one would take years

# The format of each type, for messages and for the documentation.
EXAMPLES: dict[str, str] = {
    "exact": '{"type": "exact", "answer": "Paris"}',
    "one_of": '{"type": "one_of", "answers": ["Paris", "Paris, France"]}',
    "contains": '{"type": "contains", "answers": ["Paris"], "not": ["Lyon"], "max_words": 20}',
    "number": '{"type": "number", "value": 42, "tolerance": 0.5, "max_words": 20}',
    "regex": '{"type": "regex", "pattern": "[A-D]"}',
    "json_schema": '{"type": "json_schema", "schema": {"type": "object"}}',
    "ifeval": '{"type": "ifeval", "instructions": [{"id": "punctuation:no_comma", "kwargs": {}}]}',
    "all": '{"type": "all", "of": [{"type": "contains", "answers": ["Paris"]}, …]}',
}

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Texts = Annotated[list[Text], Field(min_length=1)]
Number = Annotated[int | float, Field(allow_inf_nan=False)]
MaxWords = Annotated[int, Field(ge=1)] | None


class _Verifier(BaseModel):
    """What all verifiers share: fields of the right types only, and nothing unknown."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    def fault(self, text: str) -> str | None:
        """Return why an answer is wrong, in a few words, or None if it is right."""
        raise NotImplementedError

    def accepts(self, text: str) -> bool:
        """Return whether an answer is right."""
        return self.fault(text) is None


class Exact(_Verifier):
    """The whole answer equals the text, case included; white space around it is ignored."""

    type: Literal["exact"]
    answer: Text

    def fault(self, text: str) -> str | None:
        return None if text.strip() == self.answer else f"is not {quoted(self.answer)}"


class OneOf(_Verifier):
    """The whole answer equals one text; case, articles, quotes and final period are ignored."""

    type: Literal["one_of"]
    answers: Texts

    def fault(self, text: str) -> str | None:
        answer = whole_answer(text)
        if any(answer == whole_answer(expected) for expected in self.answers):
            return None
        return f"is not {_either(self.answers)}"


class Contains(_Verifier):
    """The answer has one of the texts as whole words, none of `not`, and at most N words."""

    type: Literal["contains"]
    answers: Texts
    forbidden: list[Text] = Field(default=[], alias="not")
    max_words: MaxWords = None

    def fault(self, text: str) -> str | None:
        if not any(contains_words(text, words) for words in self.answers):
            return f"does not contain {_either(self.answers)}"
        for words in self.forbidden:
            if contains_words(text, words):
                return f"contains {quoted(words)}"
        return _length_fault(text, self.max_words)


class LastNumber(_Verifier):
    """The last number of the answer is the value, up to the tolerance."""

    type: Literal["number"]
    value: Number
    tolerance: Annotated[Number, Field(ge=0)] = 0
    max_words: MaxWords = None

    def fault(self, text: str) -> str | None:
        number = last_number(text)
        if number is None:
            return "holds no number"
        # Decimals, because in binary 0.1 + 0.2 misses 0.3.
        if abs(number - Decimal(str(self.value))) > Decimal(str(self.tolerance)):
            return f"ends with {quoted(str(number))[1:-1]}, not {self.value}"
        return _length_fault(text, self.max_words)


class Regex(_Verifier):
    """The pattern matches the whole trimmed answer; a point matches a line break, too."""

    type: Literal["regex"]
    pattern: Text
    _compiled: Any = PrivateAttr()

    def model_post_init(self, _: Any) -> None:
        counts = [max(map(int, filter(None, c))) for c in COUNTS.findall(self.pattern) if any(c)]
        if prod(counts) > MAX_REPEATS:
            raise BadRow(
                f'"verifier": "pattern" repeats a part more than {MAX_REPEATS:,} times; use + or *'
            )
        try:
            self._compiled = regex.compile(self.pattern, regex.DOTALL)
        except (regex.error, OverflowError, RecursionError) as error:
            raise BadRow(f'"verifier": "pattern" is not a regular expression ({error})') from None

    def fault(self, text: str) -> str | None:
        try:
            match = self._compiled.fullmatch(text.strip(), timeout=SECONDS)
        except TimeoutError:
            return f"could not be matched within {SECONDS:g} s: simplify the row's pattern"
        return None if match else f"does not match {quoted(self.pattern)}"


class JsonSchema(_Verifier):
    """The answer is JSON, with or without a code fence around it, and follows the schema."""

    type: Literal["json_schema"]
    schema_: dict[str, Any] = Field(alias="schema")
    _validator: Any = PrivateAttr()

    def model_post_init(self, _: Any) -> None:
        self._validator = open_schema(self.schema_, SECONDS)

    def fault(self, text: str) -> str | None:
        return json_fault(self._validator, text)


class IfEval(_Verifier):
    """The answer follows all of IFEval's instructions (Zhou et al. 2023), strictly."""

    type: Literal["ifeval"]
    instructions: Annotated[list[Instruction], Field(min_length=1)]
    _checkers: Any = PrivateAttr()

    def model_post_init(self, _: Any) -> None:
        self._checkers = open_checkers(self.instructions)

    def fault(self, text: str) -> str | None:
        return ifeval_fault(self._checkers, text)


class All(_Verifier):
    """The answer satisfies every one of several verifiers."""

    type: Literal["all"]
    of: Annotated[list[Verifier], Field(min_length=1)]

    def fault(self, text: str) -> str | None:
        return next((fault for part in self.of if (fault := part.fault(text))), None)


Verifier: TypeAlias = Annotated[
    Exact | OneOf | Contains | LastNumber | Regex | JsonSchema | IfEval | All,
    Field(discriminator="type"),
]
All.model_rebuild()
_ADAPTER: TypeAdapter[Any] = TypeAdapter(Verifier)


def parse_verifier(value: Any) -> Verifier:
    """Read the value that a row has under "verifier".

    Args:
        value: An object, or its JSON text as tables store it.

    Raises:
        BadRow: The type is unknown, a key is missing, unknown or of the wrong type, or a pattern,
            a schema or an instruction is not valid. The message says how to write it.
    """
    try:
        value = _without_empty_columns(parse_json_text(value))
        if not isinstance(value, Mapping):
            raise BadRow(
                f'"verifier" should be an object such as {EXAMPLES["exact"]}, but is '
                f"{describe_type(value)}"
            )
        return _ADAPTER.validate_python(dict(value))
    except ValidationError as error:
        raise BadRow(_sentence(error)) from None
    except RecursionError:
        raise BadRow('"verifier" is nested too deeply; use fewer levels of "all"') from None


def _without_empty_columns(value: Any) -> Any:
    """Drop the nulls that a table stores for keys that a row does not have."""
    if not isinstance(value, Mapping):
        return value
    present = {key: item for key, item in value.items() if item is not None}
    if present.get("type") == "all" and isinstance(present.get("of"), list):
        present["of"] = [_without_empty_columns(part) for part in present["of"]]
    return present


def _sentence(error: ValidationError) -> str:
    """Say the first fault that pydantic reports, and how such a verifier is written."""
    detail = error.errors(include_url=False)[0]
    kind, names, type_ = detail["type"], [], None
    tag_follows = True  # pydantic puts the type in front of the fields of each verifier
    for name in detail["loc"]:
        if tag_follows and name in EXAMPLES:
            type_ = str(name)
        elif name not in ("int", "float"):  # the two that a number may be
            names.append(f"[{name + 1}]" if isinstance(name, int) else f".{name}")
        tag_follows = isinstance(name, int)
    place = "".join(names).lstrip(".")
    example = f"; write it as {EXAMPLES[type_]}" if type_ else ""
    if kind == "union_tag_not_found":
        fault = f'"{place + "." if place else ""}type" is missing; use {join_names(EXAMPLES)}'
    elif kind == "union_tag_invalid":
        tag = quoted(detail.get("ctx", {}).get("tag"))
        fault = f"unknown type {tag}; use {join_names(EXAMPLES)}"
    elif kind == "missing":
        fault = f'"{place}" is missing{example}'
    elif kind == "extra_forbidden":
        fault = f'unknown key "{place}"{example}'
    else:
        fault = f'"{place}" {_plain_message(detail["msg"])}{example}'
    return f'"verifier": {fault}'


def _plain_message(message: str) -> str:
    """What pydantic demands of a value, in everyday words."""
    message = re.sub(r"^(Input|String|List|Dictionary) should", "should", message)
    for technical, plain in (
        (r" after validation, not \d+", ""),
        (r"a valid (string|list|dictionary)", r"a \1"),
        ("a valid integer|a valid number", "a number"),
        ("a dictionary( or object to extract fields from)?", "an object"),
        ("a string", "text"),
    ):
        message = re.sub(technical, plain, message)
    return message


def _either(texts: list[str]) -> str:
    """Some expected texts, for a few words about a fault."""
    first = ", ".join(map(quoted, texts[:3]))
    return first if len(texts) <= 3 else f"{first} or one of {len(texts) - 3} others"


def _length_fault(text: str, max_words: int | None) -> str | None:
    n_words = len(text.split())
    if max_words is not None and n_words > max_words:
        return f"has {n_words} words, more than {max_words}"
    return None
