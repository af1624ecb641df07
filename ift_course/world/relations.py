"""The kinds of facts and every wording of them, read from `relations.yaml`."""

from __future__ import annotations

from dataclasses import dataclass

from ift_course.world.loader import read_entries

_SUBJECT = frozenset({"s"})
_WORDINGS = {
    "statements": frozenset({"s", "o", "ao"}),
    "refs": _SUBJECT,
    "questions": _SUBJECT,
    "inputs": frozenset[str](),
    "unseen": _SUBJECT,
}


@dataclass(frozen=True)
class Relation:
    """One kind of fact and every wording of it that the world uses.

    In a wording, `{s}` stands for the subject, `{o}` for the value and `{ao}` for the value with
    its article.

    Attributes:
        name: Also the name of the task that asks for it, e.g. "capital".
        family: Task family, e.g. "geography".
        subjects: Kind of entity that it is about, e.g. "country".
        label: Noun for it, e.g. "capital".
        article: What `{ao}` puts before the value: "", "a" (or an) or "the".
        statements: Full sentences. The first one ends with the value, so that cutting it off there
            gives a completion prompt: "The capital of France is" → "Paris".
        refs: Noun phrases that refer to the value without naming it.
        questions: Instructions that contain the subject.
        inputs: Instructions that leave the subject to the example's input.
        unseen: Instructions that no training split uses.
    """

    name: str
    family: str
    subjects: str
    label: str
    article: str
    statements: tuple[str, ...]
    refs: tuple[str, ...]
    questions: tuple[str, ...]
    inputs: tuple[str, ...]
    unseen: tuple[str, ...]


RELATIONS: tuple[Relation, ...] = tuple(
    Relation(**entry)
    for entry in read_entries(
        "relations.yaml", ("name", "family", "subjects", "label", "article"), _WORDINGS
    )
)
RELATION_BY_NAME = {relation.name: relation for relation in RELATIONS}
