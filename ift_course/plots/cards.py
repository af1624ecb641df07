"""A small card with a verdict, a sentence and details, readable without styles and colors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

MARKS = {"good": "✓", "bad": "✗", "note": "•"}
# Okabe and Ito's green, vermillion and blue: different for the color-blind, and in light and dark
# mode. Text keeps the page's own color.
EDGES = {"good": "#009E73", "bad": "#D55E00", "note": "#0072B2"}


@dataclass(frozen=True)
class Card:
    """A card in a notebook, as HTML and as plain text.

    Attributes:
        kind: "good", "bad" or "note", drawn as a colored edge and as the mark ✓, ✗ or •.
        verdict: One or two words after the mark.
        title: The sentence that the card is about.
        details: Further lines, in the order of reading.
    """

    kind: str
    verdict: str
    title: str
    details: Sequence[str] = ()

    def __str__(self) -> str:
        head = f"{MARKS[self.kind]} {self.verdict}: {self.title}"
        return "\n".join([head, *(f"  {line}" for line in self.details)])

    def html(self) -> str:
        """The card with inline styles only, because GitHub strips style sheets."""
        head = f"<b>{MARKS[self.kind]} {escape(self.verdict)}:</b> {escape(self.title)}"
        lines = "".join(f"<br><small>{escape(line)}</small>" for line in self.details)
        style = f"border-left: 4px solid {EDGES[self.kind]}; padding: 4px 12px; margin: 8px 0"
        return f'<div style="{style}">{head}{lines}</div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": str(self)}


def show(card: Card) -> None:
    """Display a card in a notebook, or print it elsewhere."""
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        print(card)
    else:
        display(card)
