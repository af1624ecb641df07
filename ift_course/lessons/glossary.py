"""The words of the field: `glossary.yaml`, from which docs/glossary.md is generated."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ift_course.errors import CourseError
from ift_course.paths import PACKAGE


class Term(BaseModel):
    """A word and what it means, in one or two sentences.

    lesson: where it is met, as "01". also: other ways in which the lessons write it.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", str_strip_whitespace=True)

    name: Annotated[str, Field(min_length=2)]
    means: Annotated[str, Field(min_length=20)]
    lesson: Annotated[str, Field(pattern=r"^\d\d$")]
    also: list[str] = []

    @property
    def anchor(self) -> str:
        """The anchor of its heading, by GitHub's rule: lower case, dashes, no punctuation."""
        kept = re.sub(r"[^\w\- ]", "", self.name.lower())
        return kept.replace(" ", "-")


@cache
def terms() -> tuple[Term, ...]:
    """All terms, by name.

    Raises:
        CourseError: the file breaks the format.
    """
    import yaml

    path = PACKAGE / "lessons" / "glossary.yaml"
    try:
        found = TypeAdapter(list[Term]).validate_python(yaml.safe_load(path.read_text("utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise CourseError(f"{path} breaks its format: {error}") from None
    return tuple(sorted(found, key=lambda term: term.name.lower()))


def term(name: str) -> Term:
    """The term called `name`.

    Raises:
        CourseError: the glossary does not have it.
    """
    for found in terms():
        if found.name == name:
            return found
    raise CourseError(f'The glossary has no term "{name}".')
