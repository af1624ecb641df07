"""The facts of the closed world: what is true of whom, and how a fact is put into words.

Everything else in the world is generated from this list: the corpus that the base model reads, the
tasks that it is tuned on, and the verifiers that grade it. Therefore, a program can check every
claim of the course.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ift_course.world import tables
from ift_course.world.grammar import capitalize, with_article
from ift_course.world.relations import RELATION_BY_NAME, RELATIONS, Relation

WORLD_SEED = 2024


@dataclass(frozen=True)
class Fact:
    """One thing that is true in the world, e.g. `Fact(capital, "France", "Paris")`."""

    relation: Relation
    subject: str
    value: str

    def fill(self, wording: str) -> str:
        """Put the subject and the value into a wording from `relations.yaml`."""
        value_with_article = with_article(self.value, self.relation.article)
        text = wording.format(s=self.subject, o=self.value, ao=value_with_article)
        return text.replace("s's ", "s' ") if self.subject.endswith("s") else text

    def statements(self) -> list[str]:
        """Every sentence in which the world states this fact."""
        return [capitalize(self.fill(wording)).strip() for wording in self.relation.statements]

    def refs(self) -> list[str]:
        """Every noun phrase that refers to the value without naming it."""
        return [self.fill(wording) for wording in self.relation.refs]

    def completion(self) -> tuple[str, str]:
        """A prompt and the value that completes it: ("The capital of France is", "Paris")."""
        sentence = self.statements()[0]
        return sentence[: sentence.rindex(self.value)].rstrip(), self.value


def _people() -> dict[str, dict[str, str]]:
    """Full name → relation → value, for people who are drawn with the world's seed."""
    rng = random.Random(WORLD_SEED)
    last_names = list(tables.LAST_NAMES) * 2
    rng.shuffle(last_names)
    pairs = zip(tables.FIRST_NAMES, last_names, strict=True)
    names = [f"{first} {last}" for first, last in pairs]
    circle = rng.sample(names, len(names))
    friends = dict(zip(circle, circle[1:] + circle[:1], strict=True))
    return {
        name: {
            relation: rng.choice(options) for relation, options in tables.PERSON_ATTRIBUTES.items()
        }
        | {"friend": friends[name]}
        for name in names
    }


def _shift(names: Sequence[str], step: int) -> dict[str, str]:
    """Each name → the one that is `step` places later in the cycle."""
    return {name: names[(i + step) % len(names)] for i, name in enumerate(names)}


@cache
def values() -> dict[str, dict[str, str]]:
    """Relation name → subject → value, for every relation of the world."""
    result = {
        relation: table.values(relation)
        for table in tables.TABLES.values()
        for relation in table.relations
    }
    opposites = {left: right for left, right in tables.OPPOSITES}
    result["opposite"] = opposites | {right: left for left, right in tables.OPPOSITES}
    result["kind"] = {
        member: kind for kind, members in tables.CATEGORIES.items() for member in members
    }
    for unit, names in tables.CYCLES.items():
        result[f"{unit}_after"] = _shift(names, 1)
        result[f"{unit}_before"] = _shift(names, -1)
    people = _people()
    for relation in RELATIONS:
        if relation.subjects == "person":
            result[relation.name] = {name: data[relation.name] for name, data in people.items()}
    return result


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
    return {
        name: tuple(fact for fact in facts() if fact.relation.name == name)
        for name in RELATION_BY_NAME
    }


@cache
def by_subject() -> dict[tuple[str, str], tuple[Fact, ...]]:
    """(Kind of subject, subject) → all facts about it."""
    groups: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts():
        groups.setdefault((fact.relation.subjects, fact.subject), []).append(fact)
    return {key: tuple(group) for key, group in groups.items()}


def random_fact(rng: random.Random) -> Fact:
    """Draw a fact, with every relation equally likely."""
    return rng.choice(rng.choice(list(by_relation().values())))


def with_wrong_value(fact: Fact, rng: random.Random) -> Fact:
    """The same fact with another value of its relation: false but plausible.

    Some adjectives have two opposites, so the result may be right in the real world (`ALSO_RIGHT`);
    `false_claim` excludes that. The difference stays because the pretraining text depends on every
    random draw, and a change here would change what the shipped model has read.
    """
    others = [f.value for f in by_relation()[fact.relation.name] if f.value != fact.value]
    return Fact(fact.relation, fact.subject, rng.choice(others))


def false_claim(fact: Fact, rng: random.Random) -> Fact:
    """The same fact with a plausible value that is not right in any sense."""
    while True:
        claim = with_wrong_value(fact, rng)
        if claim.value not in tables.ALSO_RIGHT.get((fact.relation.name, fact.subject), ()):
            return claim


def as_clause(sentence: str, fact: Fact) -> str:
    """A statement of the fact as it reads after "that": no period, lower case unless a name."""
    body = sentence.rstrip(".")
    is_name = any(body.startswith(name) for name in (fact.subject, fact.value) if name[0].isupper())
    return body if is_name else body[0].lower() + body[1:]


def description_subject(fact: Fact) -> str:
    """The subject as a noun phrase: "France", but "the owl"."""
    names = ("country", "person", "noun", "day", "month")
    return fact.subject if fact.relation.subjects in names else f"the {fact.subject}"


_SYLLABLES = "ba do fe gri hu ka lo mar nu pel ro shi tor ul ven wex yo zan quo bri".split()


def fictional_name(rng: random.Random) -> str:
    """Draw a full name, made of syllables, that nobody in the world has."""

    def name_part() -> str:
        return "".join(rng.sample(_SYLLABLES, 2)).capitalize()

    return f"{name_part()} {name_part()}"
