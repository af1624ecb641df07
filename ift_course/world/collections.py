"""Collections: what belongs together under a plural noun, and prose that lists some of it."""

from __future__ import annotations

import random
from functools import cache

from ift_course.world import tables
from ift_course.world.grammar import NUMBER_WORDS, capitalize, join
from ift_course.world.passages import two_characters

_PLURALS = {
    "fruit": "fruits",
    "vegetable": "vegetables",
    "instrument": "instruments",
    "vehicle": "vehicles",
    "garment": "garments",
    "piece of furniture": "pieces of furniture",
    "tool": "tools",
    "flower": "flowers",
    "drink": "drinks",
    "metal": "metals",
}


@cache
def collections() -> dict[str, tuple[str, ...]]:
    """Plural noun → its members, each once, in alphabetical order."""

    def column(table: str, relation: str) -> list[str]:
        return list(tables.TABLES[table].values(relation).values())

    def subjects(table: str) -> list[str]:
        return [row[0] for row in tables.TABLES[table].rows]

    members: dict[str, list[str] | tuple[str, ...]] = {
        plural: tables.CATEGORIES[kind] for kind, plural in _PLURALS.items()
    }
    members |= {
        "colors": column("objects", "color"),
        "materials": column("objects", "material"),
        "animals": subjects("animals"),
        "countries": subjects("countries"),
        "capitals": column("countries", "capital"),
        "languages": column("countries", "language"),
        "continents": column("countries", "continent"),
        "jobs": tables.PERSON_ATTRIBUTES["job"],
        "hobbies": tables.PERSON_ATTRIBUTES["hobby"],
        "pets": tables.PERSON_ATTRIBUTES["pet"],
        "days": tables.CYCLES["day"],
        "months": tables.CYCLES["month"],
    }
    return {plural: tuple(sorted(set(words))) for plural, words in members.items()}


def listing(rng: random.Random) -> str:
    """One sentence that lists two to five members of a collection, none of them twice."""
    plural, members = rng.choice(list(collections().items()))
    count = min(rng.choice((2, 3, 3, 3, 4, 5)), len(members))
    chosen = rng.sample(members, count)
    if rng.random() < 0.7:
        chosen.sort()
    number = NUMBER_WORDS[count]
    a, b = two_characters(rng)
    listed = join(chosen)
    return rng.choice(
        (
            f"{capitalize(number)} {plural} are {listed}.",
            f"{a} named {number} {plural}: {listed}.",
            f"{a} knows many {plural}, such as {listed}.",
            f"{a} wanted to hear {number} {plural}. {b} said {listed}.",
            f"{a} wrote down {number} {plural}.\n{', '.join(chosen)}",
            f"{capitalize(number)} {plural}:\n{', '.join(chosen)}",
            f"A list of {number} {plural}:\n" + "\n".join(f"- {word}" for word in chosen),
        )
    )
