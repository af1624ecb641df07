"""A report on a data file: its schema, its size, its lengths and its duplicates."""

from __future__ import annotations

import random
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ift_course.data.files import Rows
from ift_course.data.reading import PROGRESS_ROWS, Account, count_up_to_limit, parsed_rows
from ift_course.data.records import Record
from ift_course.errors import CourseError


@dataclass(frozen=True)
class LengthStats:
    """Statistics of lengths, in characters.

    Attributes:
        median: the median.
        p95: the 95th percentile.
        longest: the maximum.
    """

    median: int
    p95: int
    longest: int


NO_LENGTHS = LengthStats(0, 0, 0)


@dataclass
class Inspection:
    """The report of `inspect`.

    Attributes:
        kind: the kind of file: JSON, JSONL, Parquet, Arrow, CSV or TSV.
        account: what became of each row, and which columns are not used.
        turns: the number of rows for each number of turns by user and assistant.
        with_system: rows with a system turn.
        with_tools: rows with tools or tool calls.
        with_reasoning: rows with reasoning.
        with_weights: rows with an answer that is not trained.
        preferences: rows that are pairs of a chosen and a rejected response.
        prompt: lengths of all turns before the last.
        response: lengths of the assistant's turns.
        rejected_response: lengths of the rejected responses.
        duplicates: rows whose text equals that of an earlier row.
        repeated_prompts: rows whose prompt equals that of an earlier row.
        origins: the origins that rows name, and in how many rows.
        examples: conversations sampled at random.
    """

    kind: str
    account: Account = field(default_factory=Account)
    turns: Counter[int] = field(default_factory=Counter)
    with_system: int = 0
    with_tools: int = 0
    with_reasoning: int = 0
    with_weights: int = 0
    preferences: int = 0
    prompt: LengthStats = NO_LENGTHS
    response: LengthStats = NO_LENGTHS
    rejected_response: LengthStats = NO_LENGTHS
    duplicates: int = 0
    repeated_prompts: int = 0
    origins: Counter[str] = field(default_factory=Counter)
    examples: list[Record] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """The number of all rows."""
        return self.account.read

    @property
    def usable(self) -> int:
        """The number of rows that became a record."""
        return self.account.used

    def as_dict(self) -> dict[str, Any]:
        """The report for `--json`, with the account's entries beside its own."""
        account = {k: v for k, v in vars(self.account).items() if k not in ("read", "used")}
        own = {k: v for k, v in vars(self).items() if k != "account"}
        return {"rows": self.rows, "usable": self.usable} | account | own


def inspect(
    path: str | Path, *, examples: int = 3, on_rows: Callable[[Rows, int], None] | None = None
) -> Inspection:
    """Read a data file once and describe it.

    It keeps 28 bytes for each row: three lengths and two hashes.

    Args:
        path: the file.
        examples: how many conversations to sample.
        on_rows: is called now and then with the progress of the reading.

    Raises:
        CourseError: the file cannot be read, or has no rows.
    """
    rows = Rows(path)
    result = Inspection(rows.kind)
    prompt_lengths, response_lengths, rejected_lengths = array("I"), array("I"), array("I")
    row_hashes, prompt_hashes = array("Q"), array("Q")
    rng = random.Random(0)
    for number, _, row in parsed_rows(rows):
        record = result.account.add(number, row)
        if on_rows and result.account.read % PROGRESS_ROWS == 0:
            on_rows(rows, result.account.read)
        if record is None:
            continue
        _sample(result.examples, examples, result.account.used, record, rng)
        _count_features(result, record)
        prompt = "\0".join(turn.content for turn in record.turns[:-1])
        prompt_lengths.append(len(prompt))
        response_lengths.append(
            sum(len(turn.content) for turn in record.turns if turn.role == "assistant")
        )
        rejected = [turn.content for turn in record.rejected]
        if rejected:
            rejected_lengths.append(sum(map(len, rejected)))
        prompt_hashes.append(_hash(prompt))
        row_hashes.append(_hash("\0".join([prompt, record.turns[-1].content, *rejected])))
    result.account.add_file_notes(rows)
    if on_rows:
        on_rows(rows, result.account.read)
    if not result.account.read:
        raise CourseError(f"{path} has no rows.")
    if result.account.used:
        result.prompt = _length_stats(prompt_lengths)
        result.response = _length_stats(response_lengths)
        result.duplicates = len(row_hashes) - len(set(row_hashes))
        result.repeated_prompts = len(prompt_hashes) - len(set(prompt_hashes))
    if rejected_lengths:
        result.rejected_response = _length_stats(rejected_lengths)
    return result


def _count_features(result: Inspection, record: Record) -> None:
    has_system = record.turns[0].role == "system"
    result.with_system += has_system
    result.with_tools += bool(record.tools) or any(turn.tool_calls for turn in record.turns)
    result.with_reasoning += any(turn.reasoning for turn in record.turns)
    result.with_weights += any(not turn.weight for turn in record.turns)
    result.preferences += bool(record.rejected)
    result.turns[len(record.turns) - has_system] += 1
    if record.origin:
        count_up_to_limit(result.origins, record.origin)


def _sample(
    samples: list[Record], size: int, n_seen: int, record: Record, rng: random.Random
) -> None:
    # Reservoir sampling (Vitter 1985): every row has the same chance, in one pass.
    if len(samples) < size:
        samples.append(record)
    elif (place := rng.randrange(n_seen)) < size:
        samples[place] = record


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def _length_stats(lengths: array[int]) -> LengthStats:
    ordered = sorted(lengths)
    last = len(ordered) - 1
    return LengthStats(ordered[last // 2], ordered[round(0.95 * last)], ordered[-1])
