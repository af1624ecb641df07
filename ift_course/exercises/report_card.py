"""The card that a learner sees after `ift.check(fn)`, as HTML and as plain text.

It uses inline styles only, the page's own text color, and a sign beside every color, so that it is
readable in light and dark mode, in Colab, VS Code, and JupyterLab, and where styles are stripped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ift_course.exercises.compare import MaskDiff
from ift_course.exercises.judging import Verdict
from ift_course.exercises.report import Report
from ift_course.plots.cards import EDGES
from ift_course.plots.mask_tokens import Token, broken_lines, visible

SIGNS = {"passed": "✓", "failed": "✗", "error": "✗", "not yet": "○", "broken": "!"}
INKS = {"✓": EDGES["good"], "✗": EDGES["bad"], "○": "#888888", "!": EDGES["bad"]}
MONO = "font-family: monospace; white-space: pre-wrap; overflow-wrap: anywhere"
FAINT = "opacity: 0.75"
FOLD = 15  # pixels of the triangle before a check that can be unfolded
EXPLAINED = 2  # failed checks that plain text explains; HTML folds the others


@dataclass(frozen=True)
class ReportCard:
    """A report with the title of its exercise."""

    report: Report
    title: str

    @property
    def headline(self) -> str:
        """The result in one line."""
        report = self.report
        if report.passed:
            return f"{self.title}: done, {report.points} of {report.points} points"
        if not report.begun:
            return f"{self.title}: not yet"
        return f"{self.title}: {report.earned} of {report.points} points so far"

    @property
    def closing(self) -> str:
        """The next step for the learner; empty if all checks passed."""
        report = self.report
        if report.passed:
            return ""
        if not report.begun:
            return "Write the function above, run its cell, then run this one again."
        return f'Stuck? ift.hint("{report.id}") helps, a little at a time.'

    def html(self) -> str:
        sign = "✓" if self.report.passed else "✗" if self.report.begun else "○"
        parts = [f'<div style="font-weight: bold">{sign_html(sign)} {escape(self.headline)}</div>']
        if self.report.advice:
            parts.append(
                f'<div style="margin: 6px 0; border: 1px solid {EDGES["note"]}; '
                f'padding: 4px 8px"><b>This looks familiar.</b> '
                f"{_escape_with_code(self.report.advice)}</div>"
            )
        parts += [_verdict_html(*entry) for entry in _ranked(self.report.verdicts)]
        if self.closing:
            parts.append(f'<div style="margin-top: 8px; {FAINT}">{escape(self.closing)}</div>')
        style = f"border-left: 4px solid {INKS[sign]}; padding: 6px 12px; margin: 8px 0"
        return f'<div style="{style}">{"".join(parts)}</div>'

    def __str__(self) -> str:
        sign = "✓" if self.report.passed else "✗" if self.report.begun else "○"
        lines = [f"{sign} {self.headline}"]
        if self.report.advice:
            lines.append(f"  This looks familiar. {self.report.advice}")
        for verdict, rank in _ranked(self.report.verdicts):
            lines.append(f"  {SIGNS[verdict.status]} {verdict.title}")
            if 0 < rank <= EXPLAINED:
                lines += [f"      {line}" for line in explanation(verdict)]
        return "\n".join([*lines, *([f"  {self.closing}"] if self.closing else [])])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": str(self)}


def _ranked(verdicts: Sequence[Verdict]) -> Iterator[tuple[Verdict, int]]:
    """Each verdict with its rank among those to be explained; 0 means no explanation.

    The same error is explained only once.
    """
    seen, count = set(), 0
    for verdict in verdicts:
        cause = (verdict.status, verdict.message, verdict.line)
        repeated = verdict.status == "error" and cause in seen
        seen.add(cause)
        explained = verdict.status in ("failed", "error", "broken") and not repeated
        count += explained
        yield verdict, count if explained else 0


def explanation(verdict: Verdict) -> Iterator[str]:
    """Explain what went wrong, in lines of plain text."""
    yield from verdict.message.split("\n")
    if verdict.line:
        yield f"on your line {verdict.number}:  {verdict.line}"
    for name, value in _facts(verdict):
        for i, line in enumerate(value.split("\n")):
            yield f"{name if i == 0 else '':10}{line}"
    if verdict.mask:
        yield from mask_text(verdict.mask)


def _facts(verdict: Verdict) -> Iterator[tuple[str, str]]:
    facts = {"input": verdict.given, "expected": verdict.expected, "got": verdict.got}
    for name, value in facts.items():
        if value and not (verdict.mask and name != "input"):
            yield name, value


def _verdict_html(verdict: Verdict, rank: int) -> str:
    """One check; the explanation of the first that failed is open, the others are folded."""
    head = f"{sign_html(SIGNS[verdict.status])} {escape(verdict.title)}"
    if not rank:
        return f'<div style="margin-top: 4px; padding-left: {FOLD}px">{head}</div>'
    rows = "".join(_row(name, f'<span style="{MONO}">{escape(value)}</span>')
                   for name, value in _facts(verdict))  # fmt: skip
    code = f'<span style="{MONO}">{escape(verdict.line)}</span>'
    line = f"<div>on your line {verdict.number}: {code}</div>" if verdict.line else ""
    mask = mask_html(verdict.mask) if verdict.mask else ""
    message = escape(verdict.message).replace("\n", "<br>")
    return (
        f'<details style="margin-top: 4px"{" open" if rank == 1 else ""}>'
        f'<summary style="cursor: pointer">{head}</summary>'
        f'<div style="margin: 2px 0 6px 1.4em"><div>{message}</div>{line}'
        f'<table style="margin: 2px 0">{rows}</table>{mask}</div></details>'
    )


def _row(name: str, value: str) -> str:
    left = "text-align: left; vertical-align: top; font-size: inherit"
    return (
        f'<tr style="background: none"><td style="{left}; white-space: nowrap; {FAINT}">{name}</td>'
        f'<td style="{left}; line-height: 1.6">{value}</td></tr>'
    )


def _escape_with_code(text: str) -> str:
    """Escape text and set what is in backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{x}</code>" if i % 2 else x for i, x in enumerate(parts))


def sign_html(sign: str) -> str:
    """One of the signs, in its color."""
    return f'<span style="color: {INKS[sign]}; font-weight: bold">{sign}</span>'


def mask_text(mask: MaskDiff) -> Iterator[str]:
    """The tokens; below them ^ where they should be trained, and ^ where they are."""
    for row in _rows(mask):
        for name, column in (("tokens", 0), ("should be", 1), ("yours", 2)):
            yield f"{name:10}" + " ".join(
                token.text
                if column == 0
                else ("^" if trained[column - 1] else " ") * len(token.text)
                for token, *trained in row
            )
    yield f"{'':10}^ trained"


def _rows(mask: MaskDiff) -> Iterator[list[tuple[Token, bool, bool]]]:
    """(token, expected, got) of each token, in lines of limited width."""
    tokens = [Token(visible(text), "trained", special=False) for text in mask.tokens]
    cells = list(zip(tokens, mask.expected, mask.got, strict=True))
    for line in broken_lines([Token(f"{t.text} ", t.kind, t.special) for t in tokens]):
        yield [cells.pop(0) for _ in line]


def mask_html(mask: MaskDiff) -> str:
    """The sequence twice, as it should be and as it is: trained tokens are filled and bold.

    Tokens that differ have a thick frame and a ✗ in the second row.
    """
    cells = [cell for row in _rows(mask) for cell in row]
    should = "".join(_box(token.text, trained, False) for token, trained, _ in cells)
    yours = "".join(_box(token.text, got, got != trained) for token, trained, got in cells)
    wrong = sum(got != trained for _, trained, got in cells)
    count = "1 token differs" if wrong == 1 else f"{wrong} tokens differ"
    legend = f"{_box('trained', True, False)}{_box('not trained', False, False)}"
    return (
        f'<table style="margin: 2px 0">{_row("should be", should)}{_row("yours", yours)}</table>'
        f"<small>{legend} {count}, marked ✗</small>"
    )


def _box(text: str, trained: bool, wrong: bool) -> str:
    filled = f"background: {EDGES['note']}; color: white; font-weight: bold; "
    frame = f"3px solid {EDGES['bad']}" if wrong else "1px solid #999999"
    style = (
        f"{filled if trained else ''}border: {frame}; border-radius: 3px; padding: 1px 4px; "
        "margin-right: 3px; font-family: monospace; white-space: nowrap; display: inline-block; "
        "line-height: 1.3"
    )
    return f'<span style="{style}">{escape(text)}{" ✗" if wrong else ""}</span>'
