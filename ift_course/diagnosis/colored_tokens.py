"""The tokens of a row in colors, for the terminal, and the whole diagnosis as one HTML file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.data.chat_templates import special_ids
from ift_course.data.loss_mask import IGNORE
from ift_course.diagnosis.case import Case, LabeledRow
from ift_course.diagnosis.finding import FIRST_ROWS
from ift_course.disk import atomic_write_text, disk_errors
from ift_course.errors import CourseError
from ift_course.plots.mask_tokens import Token, broken_lines, pieces, visible
from ift_course.terminal import printable

if TYPE_CHECKING:
    from rich.text import Text

    from ift_course.diagnosis.diagnose import Diagnosis

# Special tokens are also underlined and trained ones bold, for readers who see no colors.
STYLES = {"trained": "bold white on blue", "ignored": "", "cut": "dim strike"}
SPECIAL = "underline magenta"
SPECIAL_TRAINED = "bold underline white on magenta"
MEANINGS = {"trained": "trained", "ignored": "ignored", "cut": "cut off at the limit"}
MOST = 2000  # tokens of a row that are shown; the time to decode them grows with the square


@dataclass(frozen=True)
class RowView:
    """The tokens of one row.

    Attributes:
        number: the row's number in the file.
        tokens: the first MOST tokens, each of the kind "trained", "ignored" or "cut".
        counts: how many tokens of the whole row are of each kind.
    """

    number: int
    tokens: Sequence[Token]
    counts: Mapping[str, int]

    @property
    def summary(self) -> str:
        """The counts of the whole row in words."""
        parts = [
            f"{self.counts[kind]:,} {meaning}"
            for kind, meaning in MEANINGS.items()
            if self.counts[kind] or kind != "cut"
        ]
        n_tokens = sum(self.counts.values())
        rest = f"; the first {MOST:,} are shown" if n_tokens > len(self.tokens) else ""
        return f"{n_tokens:,} tokens: {', '.join(parts)}{rest}"

    def __rich__(self) -> Text:
        from rich.text import Text

        lines = []
        for line in broken_lines(self.tokens):
            lines.append(Text.assemble(*((token.text, style(token)) for token in line)))
        return Text("\n").join(lines)


def style(token: Token) -> str:
    """The style of a token on the terminal."""
    if token.special and token.kind != "cut":
        return SPECIAL_TRAINED if token.kind == "trained" else SPECIAL
    return STYLES[token.kind]


def row_views(case: Case, *, first: int = 1, number: int | None = None) -> list[RowView]:
    """The tokens of the first rows, or of one.

    Args:
        case: the rows and the model.
        first: how many rows.
        number: the number of the only row to show.

    Raises:
        CourseError: there is no row of that number that can be shown.
    """
    rows = list(case.rows[:first])
    if number is not None:
        rows = [row for row in case.rows if row.number == number]
    if number is not None and not rows:
        reasons = dict([*case.unusable, *case.refused])
        reason = reasons.get(number, f"the file has {case.account.read:,} rows")
        raise CourseError(f"{case.path} has no row {number} that can be shown: {reason}.")
    return [_view(case, row) for row in rows]


def _view(case: Case, row: LabeledRow) -> RowView:
    special = special_ids(case.subject.tokenizer)
    kinds = ["ignored" if label == IGNORE else "trained" for label in row.labels]
    limit = case.subject.max_length
    kinds[limit:] = ["cut"] * len(kinds[limit:])
    ids = row.ids[:MOST]
    texts = pieces(case.subject.tokenizer, ids)
    tokens = [
        Token(printable(visible(text)), kind, token in special)
        for text, kind, token in zip(texts, kinds, ids, strict=False)
    ]
    return RowView(row.number, tokens, Counter(kinds))


def write_html(path: Path, diagnosis: Diagnosis, views: Sequence[RowView]) -> None:
    """Write one HTML file that loads no other.

    Args:
        path: the file.
        diagnosis: what was found.
        views: the rows to show.

    Raises:
        CourseError: the file cannot be written.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ift_course", "diagnosis"), autoescape=True, undefined=StrictUndefined
    )
    text = environment.get_template("diagnosis.html.j2").render(
        diagnosis=diagnosis,
        case=diagnosis.case,
        views=views,
        first_rows=FIRST_ROWS,
        meanings=MEANINGS,
    )
    with disk_errors(path):
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        atomic_write_text(path, text + "\n")
