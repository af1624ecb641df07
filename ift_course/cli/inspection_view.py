"""The table and the examples that `ift data inspect` prints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ift_course.data.inspection import Inspection, LengthStats
    from ift_course.data.records import Record, Turn


def print_inspection(file: Path, result: Inspection) -> None:
    """Print a table about a data file, and its first records.

    Args:
        file: The file that was read.
        result: Its inspection.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ift_course.terminal import printable

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for title, line in _inspection_lines(file, result):
        table.add_row(title, Text(line))
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    for record in result.examples:
        console.print(f"\n{printable(record.source)}", style="bold", markup=False)
        for speaker, words in _spoken_lines(record):
            console.print(f"  {speaker}: {_shorten(printable(words))}", markup=False)


def _inspection_lines(file: Path, result: Inspection) -> Iterator[tuple[str, str]]:
    """The titles and lines of the table that `ift data inspect` prints."""
    from ift_course.cli.accounts import account_lines, count
    from ift_course.terminal import printable

    account = result.account
    yield "file", f"{printable(str(file))}, {result.kind}"
    schemas = ", ".join(f"{name} ({rows:,})" for name, rows in account.schemas.most_common())
    yield "schema", schemas or "unknown"
    yield "rows", f"{account.read:,}, of which {account.used:,} can be used"
    yield from account_lines(account)
    if result.preferences:
        pairs = count(result.preferences, "pair")
        yield "pairs", f"preferences: {pairs} of a chosen and a rejected response"
    if account.used:
        yield "prompt", _length_line(result.prompt)
        yield "response", _length_line(result.response)
        if result.preferences:
            yield "rejected", _length_line(result.rejected_response)
        turns = ", ".join(f"{n}: {rows:,}" for n, rows in sorted(result.turns.items())[:12])
        yield "turns", f"{turns} rows"
        yield "system", f"{count(result.with_system, 'row')} with a system turn"
        duplicates = count(result.duplicates, "row")
        yield (
            "duplicates",
            f"{duplicates} repeating another, {result.repeated_prompts:,} repeating another's "
            "prompt",
        )
    for name, rows in (("tools", result.with_tools), ("reasoning", result.with_reasoning)):
        if rows:
            yield name, f"{count(rows, 'row')} with {name}"
    if result.with_weights:
        yield "weights", f"{count(result.with_weights, 'row')} with an answer that is not trained"
    if result.origins:
        origins = ", ".join(f"{name} ({rows:,})" for name, rows in result.origins.most_common(6))
        yield "origins", printable(origins)


def _length_line(lengths: LengthStats) -> str:
    return (
        f"median {lengths.median:,} characters, 95 % up to {lengths.p95:,}, "
        f"longest {lengths.longest:,}"
    )


def _spoken_lines(record: Record) -> Iterator[tuple[str, str]]:
    """Speaker and words of each turn; responses of a pair are named chosen and rejected."""
    *earlier, last = record.turns
    for turn in earlier:
        yield turn.role, _turn_text(turn)
    yield "chosen" if record.rejected else last.role, _turn_text(last)
    for turn in record.rejected:
        yield "rejected", _turn_text(turn)


def _turn_text(turn: Turn) -> str:
    """The words of a turn with its reasoning and its tool calls."""
    thoughts = [f"(thinks: {turn.reasoning})"] if turn.reasoning else []
    calls = [f"(calls {call['function']['name']})" for call in turn.tool_calls]
    return " ".join([*thoughts, turn.content, *calls]).strip()


def _shorten(text: str, max_characters: int = 300) -> str:
    indented = text.replace("\n", "\n    ")
    return indented if len(indented) <= max_characters else f"{indented[:max_characters]}…"
