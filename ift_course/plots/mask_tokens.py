"""Tokens in the loss-mask viewer: their text, and whether the loss counts them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

KINDS = ("trained", "ignored", "padding")
PARTIAL_CHAR = "▯"
COLUMNS = 76  # characters in a line, in the picture and in plain text


@dataclass(frozen=True)
class Token:
    """One token in the viewer.

    Attributes:
        text: What it adds to the text, whitespace made visible. The text of padding is always
            "pad", whatever token fills the sequence.
        kind: One of `KINDS`.
        special: Whether it is an added token, such as `<|im_end|>`.
    """

    text: str
    kind: str
    special: bool


def count(rows: Sequence[Sequence[Token]], kind: str) -> int:
    """How many tokens are "trained", "ignored" or "padding"."""
    return sum(token.kind == kind for row in rows for token in row)


def pieces(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> list[str]:
    """Return what each token adds to the text, or PARTIAL_CHAR for a part of a character.

    Each token is decoded together with those before it, because some tokenizers drop the leading
    space of a token that is decoded alone.
    """
    texts, prefix = [], ""
    for end in range(1, len(ids) + 1):
        text = cast("str", tokenizer.decode(list(ids[:end]), skip_special_tokens=False))
        if text.endswith("\N{REPLACEMENT CHARACTER}"):
            texts.append(PARTIAL_CHAR)
            continue
        texts.append(text[len(prefix) :])
        prefix = text
    return texts


def visible(text: str) -> str:
    """Make whitespace visible: · for a space, ↵ for a newline, → for a tab, ∅ for no text."""
    return text.replace(" ", "·").replace("\n", "↵").replace("\t", "→") or "∅"


def broken_lines(row: Sequence[Token], *, compact: bool = False) -> Iterator[list[Token]]:
    """Break a sequence where a line would be longer than COLUMNS, and after newlines.

    Args:
        row: The tokens.
        compact: Do not break after newlines.
    """
    line: list[Token] = []
    for token in row:
        if line and sum(len(t.text) for t in line) + len(token.text) > COLUMNS:
            yield line
            line = []
        line.append(token)
        if token.text.endswith("↵") and not compact:
            yield line
            line = []
    if line:
        yield line
