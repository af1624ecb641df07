"""What the commands print about the rows of a data file: the account of everything in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ift_course.data.reading import Account
from ift_course.terminal import printable

MAX_COLUMNS = 12  # unused columns that are named
MAX_REASONS = 8  # reasons of rejected rows that are named
MAX_TOKENS = 6  # special tokens that are named


def account_lines(account: Account) -> Iterator[tuple[str, str]]:
    """A title and a line for everything that a user must know about the rows, except the totals."""
    for note in account.notes:
        yield "note", printable(note)
    for repair, rows in account.repairs.most_common():
        yield "repaired", f"{rows:,}: {printable(repair)}"
    if account.unused:
        yield "not used", _unused_columns(account.unused)
    for reason, rows in account.reasons.most_common(MAX_REASONS):
        yield "cannot", f"{rows:,}: {printable(reason)}"
    if account.special:
        yield "warning", _special_tokens_warning(account.special)
    if account.joined:
        yield "joined", f"{account.joined:,} rows are turns of another row's conversation"
    if account.left_out:
        yield "left out", f"{account.left_out:,} rows are replies in no conversation"


def _special_tokens_warning(tokens: Counter[str]) -> str:
    names = [f"{name} ({count(rows, 'row')})" for name, rows in tokens.most_common(MAX_TOKENS)]
    return (
        f"texts contain special tokens, which begin or end a turn: {', '.join(names)}; turn them "
        "into ordinary text with --escape-special"
    )


def _unused_columns(unused: Counter[str]) -> str:
    """One line such as "history (1 row), tools (2 rows)"."""
    names = [f"{name} ({count(n, 'row')})" for name, n in unused.most_common(MAX_COLUMNS)]
    if len(unused) > MAX_COLUMNS:
        names.append(f"{len(unused) - MAX_COLUMNS} more")
    return printable(", ".join(names))


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 row", "2,000 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def as_dict(account: Account) -> dict[str, Any]:
    """The account for `--json`."""
    return {name: value for name, value in vars(account).items() if name != "first_reason"}


def print_account(account: Account, unit: str) -> None:
    """Print what `ift sft` and `ift dpo` report about their data, on standard error.

    Args:
        account: the account of the rows.
        unit: "row" or "pair".
    """
    from rich.console import Console

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if account.rejected:
        place = f"; they are in {account.rejects}" if account.rejects else ""
        console.print(
            f"{count(account.rejected, unit)} of {account.read:,} set aside{place}:", markup=False
        )
    for title, line in account_lines(account):
        console.print(f"  {title} {line}", markup=False)
