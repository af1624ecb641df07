"""Prompts and what models said to them, side by side.

transcript({"base": base_scores, "SFT": sft_scores}, limit=8)
transcript([Row("The capital of France is", {"step 0": "xq lo", "step 400": "Paris."})])
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from ift_course.data.records import user_text

if TYPE_CHECKING:
    from ift_course.evaluation.generate import Completion
    from ift_course.evaluation.score import Scores

CLIP = 160  # characters of one answer
# JupyterLab's style sheet overrides the attributes, and GitHub strips the style.
LEFT = 'align="left" valign="top" style="text-align: left; vertical-align: top"'


@dataclass(frozen=True)
class Said:
    """An answer with its strict verdict. finished: the model ended its turn by itself."""

    text: str
    correct: bool | None = None  # None: nobody judged it
    finished: bool = True


@dataclass(frozen=True)
class Row:
    """A prompt and what each model said: a Said, a Completion or plain text, by model name."""

    prompt: str
    answers: Mapping[str, Said | Completion | str]


@dataclass(frozen=True)
class Transcript:
    """A table with a row for each prompt and a column for each model, as HTML and plain text."""

    rows: Sequence[Row]
    heading: str
    clip: int

    @property
    def models(self) -> list[str]:
        """The columns, in the order in which they first appear."""
        return list(dict.fromkeys(name for row in self.rows for name in row.answers))

    @property
    def note(self) -> str:
        """What the marks in this table mean; empty if there are none."""
        said = [_said(answer) for row in self.rows for answer in row.answers.values()]
        marks = "✓ right, nothing else, and finished · ✗ not" if any(
            s.correct is not None for s in said) else ""  # fmt: skip
        clipped = "… went on" if any(self._shown(s).endswith("…") for s in said) else ""
        return " · ".join(part for part in (marks, clipped) if part)

    def html(self) -> str:
        """A plain table, which says everything without a style."""
        head = "".join(f"<th {LEFT}>{escape(name)}</th>" for name in (self.heading, *self.models))
        body = "".join(
            f"<tr>{_td(row.prompt)}"
            + "".join(
                _td(self._cell(row.answers[n])) if n in row.answers else "<td></td>"
                for n in self.models
            )
            + "</tr>"
            for row in self.rows
        )
        note = f"<p><small>{escape(self.note)}</small></p>" if self.note else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"

    def __str__(self) -> str:
        wide = max((len(name) for name in self.models), default=0)
        blocks = [f"{self.heading} / {', '.join(self.models)}"]
        for row in self.rows:
            lines = [row.prompt.replace("\n", " ↵ ")]
            for name, answer in row.answers.items():
                told = textwrap.wrap(self._cell(answer).replace("\n", " ↵ "), 92 - wide) or [""]
                lines.append(f"  {name:>{wide}}  {told[0]}")
                lines += [" " * (wide + 4) + more for more in told[1:]]
            blocks.append("\n".join(lines))
        return "\n\n".join([*blocks, *([self.note] if self.note else [])])

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": str(self)}

    def _cell(self, answer: Said | Completion | str) -> str:
        said = _said(answer)
        mark = {True: "✓ ", False: "✗ ", None: ""}[said.correct]
        return mark + (self._shown(said) or "(nothing)")

    def _shown(self, said: Said) -> str:
        text = said.text.strip()
        if len(text) > self.clip:
            return text[: self.clip - 1].rstrip() + "…"
        return text if said.finished else f"{text}…"


def transcript(
    rows: Sequence[Row] | Mapping[str, Scores],
    *,
    limit: int | None = None,
    heading: str = "prompt",
    clip: int = CLIP,
) -> Transcript:
    """A table of prompts and answers.

    rows: Rows, or Scores by model name, all of the same examples.
    limit: at most this many prompts. heading: of the prompts' column.
    clip: answers longer than this many characters end in …, as do those that did not finish.
    Raises ValueError if the scores are not of the same examples.
    """
    if isinstance(rows, Mapping):
        rows = _from_scores(rows)
    return Transcript(rows[:limit], heading, clip)


def _from_scores(scores: Mapping[str, Scores]) -> list[Row]:
    first = next(iter(scores.values()))
    if any(list(other.examples) != list(first.examples) for other in scores.values()):
        raise ValueError("A transcript compares models on the same examples; these differ.")
    return [
        Row(
            user_text(example.instruction, example.input),
            {
                name: Said(s.completions[i].text, s.correct[i], s.completions[i].finished)
                for name, s in scores.items()
            },
        )
        for i, example in enumerate(first.examples)
    ]


def _said(answer: Said | Completion | str) -> Said:
    if isinstance(answer, Said):
        return answer
    if isinstance(answer, str):
        return Said(answer)
    return Said(answer.text, finished=answer.finished)


def _td(text: str) -> str:
    return f"<td {LEFT}>{escape(text).replace(chr(10), '<br>')}</td>"
