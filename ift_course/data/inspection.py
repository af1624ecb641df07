"""What is in a data file: its schema, how much of it, how long, how often the same."""

import random
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from ift_course.data.convert import KINDS, adapted
from ift_course.data.files import Rows
from ift_course.data.records import BadRow, Record
from ift_course.errors import CourseError


@dataclass(frozen=True)
class Spread:
    """The middle and the ends of a set of numbers."""

    median: int
    p95: int
    longest: int


@dataclass
class Inspection:
    """What `inspect` found. Lengths are in characters."""

    kind: str  # of file: JSON, JSONL, Parquet or CSV
    rows: int = 0
    usable: int = 0
    schemas: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)  # why rows are not usable
    repairs: Counter[str] = field(default_factory=Counter)
    turns: Counter[int] = field(default_factory=Counter)  # user and assistant turns: rows
    with_system: int = 0
    preferences: int = 0
    prompt: Spread = Spread(0, 0, 0)
    response: Spread = Spread(0, 0, 0)
    duplicates: int = 0  # rows that say exactly what an earlier one said
    repeated_prompts: int = 0  # rows that ask what an earlier one asked
    origins: Counter[str] = field(default_factory=Counter)
    examples: list[Record] = field(default_factory=list)


def inspect(
    path: str | Path, *, examples: int = 3, on_rows: Callable[[Rows, int], None] | None = None
) -> Inspection:
    """Read a data file once and say what it is; `examples` conversations are drawn at random.

    Keeps 24 bytes a row: two lengths and two hashes. Raises CourseError when it cannot be read.
    """
    rows = Rows(path)
    found = Inspection(rows.kind)
    prompts, responses = array("I"), array("I")
    whole, asked = array("Q"), array("Q")
    rng = random.Random(0)
    for _, _, result in adapted(rows):
        found.rows += 1
        if on_rows and found.rows % 200 == 0:
            on_rows(rows, found.rows)
        if isinstance(result, BadRow):
            _count(found.reasons, str(result).split(" (")[0])
            continue
        record = result.record
        found.usable += 1
        found.schemas[result.schema] += 1
        found.repairs.update(result.repairs)
        _keep_one_of(found.examples, examples, found.usable, record, rng)
        _describe(found, record)
        prompt = "\0".join(t.content for t in record.turns[:-1])
        prompts.append(len(prompt))
        responses.append(sum(len(t.content) for t in record.turns if t.role == "assistant"))
        asked.append(_hash(prompt))
        whole.append(_hash(f"{prompt}\0{record.turns[-1].content}"))
    if on_rows:
        on_rows(rows, found.rows)
    if not found.rows:
        raise CourseError(f"{path} has no rows.")
    if found.usable:
        found.prompt, found.response = _spread(prompts), _spread(responses)
        found.duplicates = len(whole) - len(set(whole))
        found.repeated_prompts = len(asked) - len(set(asked))
    return found


def _describe(found: Inspection, record: Record) -> None:
    system = record.turns[0].role == "system"
    found.with_system += system
    found.preferences += bool(record.rejected)
    found.turns[len(record.turns) - system] += 1
    if record.origin:
        _count(found.origins, record.origin)


def _count(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < KINDS else "others"] += 1


def _keep_one_of(kept: list[Record], wanted: int, seen: int, record: Record, rng) -> None:
    # Reservoir sampling (Vitter 1985): every row has the same chance, in one pass.
    if len(kept) < wanted:
        kept.append(record)
    elif (place := rng.randrange(seen)) < wanted:
        kept[place] = record


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def _spread(lengths: array) -> Spread:
    ordered = sorted(lengths)
    at = len(ordered) - 1
    return Spread(ordered[at // 2], ordered[round(0.95 * at)], ordered[-1])
