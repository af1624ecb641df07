"""The quizzes: one `lessons/lesson_NN/quiz.yaml` a lesson, which `ift.quiz("NN")` shows.

A file is a list of questions. Each has one right answer and two or more wrong ones:

    - id: what-counts                # unique in its file; decides the order of the options
      ask: Which tokens does the loss of SFT count?
      right: Those of the response, the end of turn included.
      answer: >-                     # a full model answer; shown when the right one is opened
        The user's words are given, so nothing is gained by learning to write them. ...
      wrong:
        - says: All of them.
          why: Then most of the training would go into the user's words.   # feedback
        - says: ...
          why: ...
      terms: [loss mask, end of turn]       # names in the glossary

Texts may use Markdown within a line: `code`, *emphasis*. Options are shown in an order that looks
random and never changes, so none may speak of "the above". YAML reads a plain `yes`, `no` or `1.5`
as something else than a text, and stops at ": " and " #": put such texts in quotes.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ift_course.errors import CourseError
from ift_course.paths import PACKAGE

Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", str_strip_whitespace=True)


class Wrong(_Strict):
    """A wrong option, and what to tell somebody who chose it."""

    says: Text
    why: Text


class Question(_Strict):
    """One question with exactly one right option. answer: a full model answer to it."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    ask: Text
    right: Text
    answer: Text
    wrong: Annotated[list[Wrong], Field(min_length=2)]
    terms: list[Text] = []

    @property
    def options(self) -> list[tuple[str, bool, str]]:
        """(text, whether it is right, what to say to who chose it), in a fixed mixed order."""
        options = [(self.right, True, self.answer)]
        options += [(wrong.says, False, wrong.why) for wrong in self.wrong]
        return sorted(options, key=lambda x: sha256(f"{self.id}: {x[0]}".encode()).digest())


def read(lesson: str) -> list[Question]:
    """The questions of a lesson, as "01".

    Raises:
        CourseError: the lesson has no quiz, or its file breaks the format.
    """
    import yaml

    rooms = PACKAGE / "lessons"
    path = rooms / f"lesson_{lesson}" / "quiz.yaml"
    if not path.is_file():
        known = ", ".join(sorted(x.parent.name[7:] for x in rooms.glob("lesson_*/quiz.yaml")))
        raise CourseError(f'There is no quiz for lesson "{lesson}"; there are quizzes for {known}.')
    try:
        questions = yaml.safe_load(path.read_text(encoding="utf-8"))
        return TypeAdapter(list[Question]).validate_python(questions)
    except yaml.YAMLError as error:
        at = getattr(error, "problem_mark", None)
        line = f", line {at.line + 1}" if at else ""
        raise CourseError(
            f"{path}{line} is not YAML: {getattr(error, 'problem', error)}."
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = " → ".join(str(x + 1) if isinstance(x, int) else x for x in first["loc"])
        raise CourseError(f"{path}, question {place}: {first['msg']}.") from None
