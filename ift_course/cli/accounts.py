"""What the commands say about the rows of a data file: an account of everything in it."""

from collections import Counter
from collections.abc import Iterator

from ift_course.data.reading import Account
from ift_course.terminal import printable

LISTED = 12  # of columns that are not used


def sentences(account: Account) -> Iterator[tuple[str, str]]:
    """A title and a line for all that a reader of the rows must know, beside their numbers."""
    for note in account.notes:
        yield "note", printable(note)
    for change, rows in account.repairs.most_common():
        yield "repaired", f"{rows:,}: {printable(change)}"
    if account.unused:
        yield "not used", not_used(account.unused)
    for reason, rows in account.reasons.most_common(8):
        yield "cannot", f"{rows:,}: {printable(reason)}"
    if account.special:
        yield "warning", special(account.special)
    if account.joined:
        yield "joined", f"{account.joined:,} rows are turns of another row's conversation"
    if account.left_out:
        yield "left out", f"{account.left_out:,} rows are replies in no conversation"


def special(tokens: Counter[str]) -> str:
    """That texts hold what a tokenizer may take for its special tokens, and the remedy."""
    named = ", ".join(f"{name} ({count(rows, 'row')})" for name, rows in tokens.most_common(6))
    return (
        f"texts hold special tokens, which begin or end a turn: {named}; make words of them with "
        "--escape-special"
    )


def not_used(unused: Counter[str]) -> str:
    """One line: 'history (1 row), tools (2 rows)'."""
    names = [f"{name} ({count(n, 'row')})" for name, n in unused.most_common(LISTED)]
    if len(unused) > LISTED:
        names.append(f"{len(unused) - LISTED} more")
    return printable(", ".join(names))


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 row", "2,000 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def as_dict(account: Account) -> dict:
    """For `--json`."""
    return {name: value for name, value in vars(account).items() if name != "first_reason"}


def say(account: Account, unit: str) -> None:
    """What `ift sft` and `ift dpo` say of their data, on standard error. unit: "row" or "pair"."""
    from rich.console import Console

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if account.rejected:
        where = f"; they are in {account.rejects}" if account.rejects else ""
        console.print(
            f"{count(account.rejected, unit)} of {account.read:,} set aside{where}:", markup=False
        )
    for title, line in sentences(account):
        console.print(f"  {title} {line}", markup=False)
