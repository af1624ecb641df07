"""The terms of the field in `glossary.yaml`, from which docs/glossary.md is generated."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ift_course.errors import CourseError
from ift_course.paths import PACKAGE


class Term(BaseModel):
    """A term of the field.

    Attributes:
        name: As a heading of the glossary.
        means: The definition, in one or two sentences.
        lesson: The lesson that introduces it, such as "01".
        also: Other spellings in the lessons.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", str_strip_whitespace=True)

    name: Annotated[str, Field(min_length=2)]
    means: Annotated[str, Field(min_length=20)]
    lesson: Annotated[str, Field(pattern=r"^\d\d$")]
    also: list[str] = []

    @property
    def anchor(self) -> str:
        """The anchor of its heading, by GitHub's rule: lower case, dashes, no punctuation."""
        text = re.sub(r"[^\w\- ]", "", self.name.lower())
        return text.replace(" ", "-")


@cache
def terms() -> tuple[Term, ...]:
    """Return all terms, sorted by name.

    Raises:
        CourseError: The file breaks the format.
    """
    import yaml

    path = PACKAGE / "lessons" / "glossary.yaml"
    try:
        parsed = TypeAdapter(list[Term]).validate_python(yaml.safe_load(path.read_text("utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise CourseError(f"{path} breaks its format: {error}") from None
    return tuple(sorted(parsed, key=lambda term: term.name.lower()))


def term(name: str) -> Term:
    """Return the term called `name`.

    Raises:
        CourseError: The glossary does not have it.
    """
    for candidate in terms():
        if candidate.name == name:
            return candidate
    raise CourseError(f'The glossary has no term "{name}".')
