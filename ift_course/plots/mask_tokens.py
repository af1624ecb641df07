"""Tokens as the loss-mask viewer shows them: their text, and their part in the loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

KINDS = ("trained", "ignored", "padding")
PARTIAL_CHAR = "▯"
COLUMNS = 76  # characters in a line, in every form


@dataclass(frozen=True)
class Token:
    """One token as it is shown. kind: one of KINDS. special: an added token, as `<|im_end|>`.

    The text of padding is always "pad", whatever token fills the row.
    """

    text: str
    kind: str
    special: bool


def count(rows: Sequence[Sequence[Token]], kind: str) -> int:
    """How many tokens are "trained", "ignored" or "padding"."""
    return sum(token.kind == kind for row in rows for token in row)


def pieces(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> list[str]:
    """What each token adds to the text; PARTIAL_CHAR for a token that is only part of a character.

    A token is decoded behind those before it: alone, some tokenizers drop its leading space.
    """
    found, done = [], ""
    for end in range(1, len(ids) + 1):
        text = tokenizer.decode(ids[:end], skip_special_tokens=False)
        if text.endswith("\N{REPLACEMENT CHARACTER}"):
            found.append(PARTIAL_CHAR)
            continue
        found.append(text[len(done) :])
        done = text
    return found


def visible(text: str) -> str:
    """The text with whitespace one can see: · for a space, ↵ for a newline, → for a tab."""
    return text.replace(" ", "·").replace("\n", "↵").replace("\t", "→") or "∅"


def broken_lines(row: Sequence[Token]) -> Iterator[list[Token]]:
    """Break after newlines, and where a line would grow longer than COLUMNS."""
    line: list[Token] = []
    for token in row:
        if line and sum(len(t.text) for t in line) + len(token.text) > COLUMNS:
            yield line
            line = []
        line.append(token)
        if token.text.endswith("↵"):
            yield line
            line = []
    if line:
        yield line
