"""What is in a data file: its schema, how much of it, how long, how often the same."""

import random
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ift_course.data.files import Rows
from ift_course.data.reading import Account, count_one, parsed_rows
from ift_course.data.records import Record
from ift_course.errors import CourseError


@dataclass(frozen=True)
class Spread:
    """The middle and the ends of a set of numbers."""

    median: int
    p95: int
    longest: int


@dataclass
class Inspection:
    """What `inspect` saw. Lengths are in characters.

    Attributes:
        kind: of file: JSON, JSONL, Parquet, Arrow, CSV or TSV.
        account: what became of each row, and which columns are not used.
        turns: how many rows have so many turns of user and assistant.
        with_system, with_tools, with_reasoning: rows that have such turns.
        with_weights: rows with an answer that is not to be learned.
        preferences: rows that are pairs of a chosen and a rejected response.
        duplicates: rows that say exactly what an earlier one says.
        repeated_prompts: rows that ask what an earlier one asks.
    """

    kind: str
    account: Account = field(default_factory=Account)
    turns: Counter[int] = field(default_factory=Counter)
    with_system: int = 0
    with_tools: int = 0
    with_reasoning: int = 0
    with_weights: int = 0
    preferences: int = 0
    prompt: Spread = Spread(0, 0, 0)
    response: Spread = Spread(0, 0, 0)
    rejected_response: Spread = Spread(0, 0, 0)
    duplicates: int = 0
    repeated_prompts: int = 0
    origins: Counter[str] = field(default_factory=Counter)
    examples: list[Record] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return self.account.read

    @property
    def usable(self) -> int:
        return self.account.used

    def as_dict(self) -> dict[str, Any]:
        """For `--json`: the account's entries beside the others."""
        account = {k: v for k, v in vars(self.account).items() if k not in ("read", "used")}
        own = {k: v for k, v in vars(self).items() if k != "account"}
        return {"rows": self.rows, "usable": self.usable} | account | own


def inspect(
    path: str | Path, *, examples: int = 3, on_rows: Callable[[Rows, int], None] | None = None
) -> Inspection:
    """Read a data file once and say what it is; `examples` conversations are drawn at random.

    Keeps 28 bytes a row: three lengths and two hashes.

    Raises:
        CourseError: the file cannot be read, or has no rows.
    """
    rows = Rows(path)
    result = Inspection(rows.kind)
    prompts, responses, rejected = array("I"), array("I"), array("I")
    whole, questions = array("Q"), array("Q")
    rng = random.Random(0)
    for number, _, row in parsed_rows(rows):
        record = result.account.count(number, row)
        if on_rows and result.account.read % 200 == 0:
            on_rows(rows, result.account.read)
        if record is None:
            continue
        _keep_one_of(result.examples, examples, result.account.used, record, rng)
        _describe(result, record)
        prompt = "\0".join(t.content for t in record.turns[:-1])
        prompts.append(len(prompt))
        responses.append(sum(len(t.content) for t in record.turns if t.role == "assistant"))
        if record.rejected:
            rejected.append(sum(len(t.content) for t in record.rejected))
        questions.append(_hash(prompt))
        whole.append(_hash("\0".join([prompt, record.turns[-1].content,
                                      *(t.content for t in record.rejected)])))  # fmt: skip
    result.account.finish(rows)
    if on_rows:
        on_rows(rows, result.account.read)
    if not result.account.read:
        raise CourseError(f"{path} has no rows.")
    if result.account.used:
        result.prompt, result.response = _spread(prompts), _spread(responses)
        result.duplicates = len(whole) - len(set(whole))
        result.repeated_prompts = len(questions) - len(set(questions))
    if rejected:
        result.rejected_response = _spread(rejected)
    return result


def _describe(result: Inspection, record: Record) -> None:
    system = record.turns[0].role == "system"
    result.with_system += system
    result.with_tools += bool(record.tools) or any(t.tool_calls for t in record.turns)
    result.with_reasoning += any(t.reasoning for t in record.turns)
    result.with_weights += any(not t.weight for t in record.turns)
    result.preferences += bool(record.rejected)
    result.turns[len(record.turns) - system] += 1
    if record.origin:
        count_one(result.origins, record.origin)


def _keep_one_of(kept: list[Record], size: int, seen: int, record: Record, rng) -> None:
    # Reservoir sampling (Vitter 1985): every row has the same chance, in one pass.
    if len(kept) < size:
        kept.append(record)
    elif (place := rng.randrange(seen)) < size:
        kept[place] = record


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def _spread(lengths: array) -> Spread:
    ordered = sorted(lengths)
    last = len(ordered) - 1
    return Spread(ordered[last // 2], ordered[round(0.95 * last)], ordered[-1])
