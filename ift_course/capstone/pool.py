"""The 2,000 raw rows that everybody chooses from: three sources, many flaws, many copies.

The rows are drawn in the closed world and damaged as lesson 09's pool is, so that no one needs a
download and every score has a cause. They are in the order in which they "came in", source after
source, so that the first 300 are not a fair sample. No row is about a held-out entity.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from ift_course.capstone.rules import POOL_ROWS
from ift_course.data.records import user_text
from ift_course.disk import atomic_write_text
from ift_course.world.flaws import spoil
from ift_course.world.tasks import FACT_TASKS, Example, sample

SEED = 26  # of the pool, the same for everybody
FLAWS = ("wrong", "off_topic", "echoed", "truncated", "rambling", "wrong_format")
CUT_OFF = "..."  # an answer of which nothing is left


@dataclass(frozen=True)
class Source:
    """Where some of the rows come from.

    Attributes:
        name: As the rows name it.
        rows: How many it has.
        flawed: The share of its originals that is damaged.
        copied: The share of its rows that repeats one of ten of them.
        tasks: What its rows ask for; None is everything.
    """

    name: str
    rows: int
    flawed: float
    copied: float
    tasks: tuple[str, ...] | None = None


# The cleanest source is too small for the budget, and knows facts alone.
SOURCES = (
    Source("forum", 1_000, 0.7, 0.3),
    Source("crowd", 750, 0.45, 0.1),
    Source("textbook", 250, 0.1, 0.0, FACT_TASKS),
)


@cache
def pool_examples() -> tuple[tuple[str, Example], ...]:
    """Each row of the pool as (name of its source, example); the verifier is for authors only."""
    rows: list[tuple[str, Example]] = []
    for number, source in enumerate(SOURCES):
        rng = random.Random(f"{SEED}-{source.name}")
        copies = round(source.copied * source.rows)
        originals = sample(source.rows - copies, seed=1_000 * SEED + number, tasks=source.tasks)
        examples = spoil(originals, source.flawed, SEED + number, FLAWS)
        examples = [x if x.response else replace(x, response=CUT_OFF) for x in examples]
        popular = rng.sample(examples, 10)
        examples += [rng.choice(popular) for _ in range(copies)]
        rng.shuffle(examples)
        rows += [(source.name, example) for example in examples]
    assert len(rows) == POOL_ROWS
    return tuple(rows)


def pool_rows() -> list[dict[str, str]]:
    """The pool in Alpaca's columns, with the name of the source and without any verdict."""
    return [
        {
            "source": source,
            "instruction": example.instruction,
            "input": example.input,
            "output": example.response,
        }
        for source, example in pool_examples()
    ]


def write_pool(path: Path) -> None:
    """Write the pool as JSONL.

    Args:
        path: The file.
    """
    atomic_write_text(path, "".join(json.dumps(x, ensure_ascii=False) + "\n" for x in pool_rows()))


def pool_questions() -> frozenset[str]:
    """What the rows of the pool ask, as the model reads it."""
    return frozenset(user_text(x.instruction, x.input) for _, x in pool_examples())
