"""The quizzes: `ift.quiz("NN")` shows `lessons/lesson_NN/quiz.yaml`, or the questions it names.

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

Texts may use Markdown within a line: `code`, *emphasis*. Options appear in an order that looks
random but never changes, so none may refer to "the above". YAML does not read a plain `yes`, `no`
or `1.5` as a text, and it ends a text at ": " and " #". Put such texts in quotes.
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
    """A wrong option, and the feedback for a learner who chooses it."""

    says: Text
    why: Text


class Question(_Strict):
    """One question with exactly one right option.

    Attributes:
        id: Unique in its file; decides the order of the options.
        ask: The question.
        right: The right option.
        answer: A full model answer.
        wrong: The other options.
        terms: Names of terms in the glossary.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    ask: Text
    right: Text
    answer: Text
    wrong: Annotated[list[Wrong], Field(min_length=2)]
    terms: list[Text] = []

    @property
    def options(self) -> list[tuple[str, bool, str]]:
        """The options as (text, whether it is right, feedback), in a fixed mixed order."""
        options = [(self.right, True, self.answer)]
        options += [(wrong.says, False, wrong.why) for wrong in self.wrong]
        return sorted(options, key=lambda x: sha256(f"{self.id}: {x[0]}".encode()).digest())


def read(lesson: str) -> list[Question]:
    """Return the questions of a lesson.

    Args:
        lesson: The lesson's number, such as "01".

    Raises:
        CourseError: The lesson has no quiz, or its file breaks the format.
    """
    import yaml

    folder = PACKAGE / "lessons"
    path = folder / f"lesson_{lesson}" / "quiz.yaml"
    if not path.is_file():
        known = ", ".join(sorted(x.parent.name[7:] for x in folder.glob("lesson_*/quiz.yaml")))
        raise CourseError(f'There is no quiz for lesson "{lesson}"; there are quizzes for {known}.')
    try:
        questions = yaml.safe_load(path.read_text(encoding="utf-8"))
        return TypeAdapter(list[Question]).validate_python(questions)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise CourseError(
            f"{path}{line} is not YAML: {getattr(error, 'problem', error)}."
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = " → ".join(str(x + 1) if isinstance(x, int) else x for x in first["loc"])
        raise CourseError(f"{path}, question {place}: {first['msg']}.") from None
