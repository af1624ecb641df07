"""The facts of the closed world: who relates to whom, and how a fact is said.

A :class:`Fact` is one (relation, subject, value). Everything else in the world — the corpus the
base model reads, the tasks it is tuned on, the verifiers that mark it — is generated from this
list, which is why every claim of the course can be checked by a program.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

from . import tables
from .grammar import capitalize, with_article
from .relations import BY_NAME, RELATIONS, Relation

WORLD_SEED = 2024


@dataclass(frozen=True)
class Fact:
    """One thing that is true in the world, e.g. ``Fact(capital, "France", "Paris")``."""

    relation: Relation
    subject: str
    value: str

    def fill(self, wording: str) -> str:
        """Put subject and value into a wording of :mod:`ift_course.world.relations`."""
        with_art = with_article(self.value, self.relation.article)
        text = wording.format(s=self.subject, o=self.value, ao=with_art)
        return text.replace("s's ", "s' ") if self.subject.endswith("s") else text

    def statements(self) -> list[str]:
        """Every sentence in which the world states this fact."""
        return [capitalize(self.fill(wording)).strip() for wording in self.relation.statements]

    def refs(self) -> list[str]:
        """Every noun phrase that points at the value without saying it."""
        return [self.fill(wording) for wording in self.relation.refs]

    def completion(self) -> tuple[str, str]:
        """A prompt that the value completes: ``("The capital of France is", "Paris")``."""
        sentence = self.statements()[0]
        cut = sentence.rindex(self.value)
        return sentence[:cut].rstrip(), self.value


def _people() -> dict[str, dict[str, str]]:
    rng = random.Random(WORLD_SEED)
    lasts = tables.LAST_NAMES * 2
    rng.shuffle(lasts)
    names = [f"{first} {last}" for first, last in zip(tables.FIRST_NAMES, lasts, strict=True)]
    circle = rng.sample(names, len(names))
    friends = dict(zip(circle, circle[1:] + circle[:1], strict=True))
    draws = {
        "job": tables.JOBS,
        "city": tables.CITIES,
        "pet": tables.PETS,
        "dish": tables.FOODS,
        "favorite_color": tables.COLORS,
        "hobby": tables.HOBBIES,
    }
    return {
        name: {key: rng.choice(values) for key, values in draws.items()} | {"friend": friends[name]}
        for name in names
    }


def _table_facts(table: str, columns: dict[str, int]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {name: {} for name in columns}
    for row in tables.rows(table):
        for name, column in columns.items():
            found[name][row[0]] = row[column]
    return found


def _cycle(names: list[str], step: int) -> dict[str, str]:
    return {name: names[(i + step) % len(names)] for i, name in enumerate(names)}


@cache
def values() -> dict[str, dict[str, str]]:
    """Relation name → subject → value, for every relation of the world."""
    found = _table_facts(
        tables.COUNTRIES, {"capital": 2, "language": 3, "continent": 4, "currency": 5}
    )
    found |= _table_facts(tables.ANIMALS, {"sound": 1, "diet": 2, "home": 3, "young": 4})
    found |= _table_facts(tables.OBJECTS, {"color": 1, "material": 2, "use": 3})
    found |= _table_facts(tables.LEXICON, {"spanish": 1, "french": 2})
    found |= _table_facts(tables.PHRASES, {"phrase": 1})
    found |= _table_facts(tables.PLURALS, {"plural": 1})
    found |= _table_facts(tables.PAST_TENSES, {"past": 1})
    pairs = tables.rows(tables.OPPOSITES)
    found["opposite"] = dict(pairs) | {right: left for left, right in pairs}
    found["kind"] = {m: kind for kind, ms in tables.rows(tables.KINDS) for m in ms.split()}
    found["day_after"] = _cycle(tables.DAYS, 1)
    found["day_before"] = _cycle(tables.DAYS, -1)
    found["month_after"] = _cycle(tables.MONTHS, 1)
    found["month_before"] = _cycle(tables.MONTHS, -1)
    people = _people()
    for relation in RELATIONS:
        if relation.subjects == "person":
            found[relation.name] = {name: data[relation.name] for name, data in people.items()}
    return found


@cache
def facts() -> tuple[Fact, ...]:
    """Every fact of the world, in the order of the relations."""
    return tuple(
        Fact(relation, subject, value)
        for relation in RELATIONS
        for subject, value in values()[relation.name].items()
    )


@cache
def by_relation() -> dict[str, tuple[Fact, ...]]:
    """Relation name → its facts."""
    return {name: tuple(f for f in facts() if f.relation.name == name) for name in BY_NAME}


@cache
def by_subject() -> dict[tuple[str, str], tuple[Fact, ...]]:
    """(kind of subject, subject) → all that is known about it."""
    found: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts():
        found.setdefault((fact.relation.subjects, fact.subject), []).append(fact)
    return {key: tuple(value) for key, value in found.items()}
